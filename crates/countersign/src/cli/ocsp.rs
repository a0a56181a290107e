//! `ocsp`, hidden: the process that answers about single certificates, as `run` starts it. It reads no CA's key.

use super::authority::confined;
use super::context::{self, check_owner};
use super::{Exit, Failure, Globals, Outcome, run as run_cli};
use crate::run::confine::{Duty, hide_memory};
use crate::run::ocsp::serve;
use crate::run::signing::serve::{end_with_supervisor, listener};

/// `countersign ocsp`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn command(globals: &Globals, _: Args) -> Exit {
    globals.end(answer(globals))
}

fn answer(globals: &Globals) -> Outcome {
    crate::run::take_name();
    run_cli::log_to_stderr(globals);
    let state = context::state_dir(globals, &globals.config_path(), crate::clock::now())?;
    check_owner(state.path())?;
    let not_started = |error: std::io::Error| {
        Failure::usage(
            format!("standard input is no socket to listen on: {error}"),
            "it is started by `countersign run`",
        )
    };
    let listener = listener().map_err(not_started)?;
    listener.local_addr().map_err(not_started)?;
    hide_memory().map_err(not_started)?;
    confined(Duty::Responder, &state, &[])?;
    end_with_supervisor().map_err(not_started)?;
    context::runtime()?.block_on(serve::serve(state, listener)).map_err(not_started)?;
    Ok(Exit::Fine)
}
