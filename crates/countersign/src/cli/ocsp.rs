//! `ocsp`, hidden: the process that answers about single certificates, as `run` starts it. It reads no CA's key.

use super::context::{self, Context};
use super::{Exit, Failure, Globals, Outcome, run as run_cli};
use crate::run::ocsp::serve;

/// `countersign ocsp`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn command(globals: &Globals, _: Args) -> Exit {
    globals.end(answer(globals))
}

/// Answers until the supervisor is gone; ends at once where no listener takes questions.
fn answer(globals: &Globals) -> Outcome {
    run_cli::log_to_stderr(globals);
    let state = {
        let context = Context::open(globals)?;
        if context.settings.http.is_empty() {
            return Ok(Exit::Fine);
        }
        context.settings.state.clone()
    };
    let served = context::runtime()?.block_on(serve::until_alone(state));
    served.map(|()| Exit::Fine).map_err(|error| {
        Failure::no(
            format!("the OCSP responder cannot listen: {error}"),
            "it is started by `countersign run`",
        )
    })
}
