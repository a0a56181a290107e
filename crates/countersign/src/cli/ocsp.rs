//! `ocsp`, hidden: the process that answers about single certificates, as `run` starts it. It reads no CA's key.

use super::begun::{Begun, begin, not_started};
use super::{Exit, Globals, Outcome, context};
use crate::run::confine::Duty;
use crate::run::ocsp::serve;

/// `countersign ocsp`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn command(globals: &Globals, _: Args) -> Exit {
    globals.end(answer(globals))
}

fn answer(globals: &Globals) -> Outcome {
    let Begun { state, listener } = begin(globals, |_| Duty::Responder)?;
    context::runtime()?.block_on(serve::serve(state, listener)).map_err(not_started)?;
    Ok(Exit::Fine)
}
