//! `console`, hidden: the process that answers operators behind the admin address, as `run` starts it. It reads no CA's key.

use super::begun::{Begun, begin, not_started};
use super::{Exit, Globals, Outcome, context};
use crate::console::serve;
use crate::run::confine::Duty;

/// `countersign console`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn command(globals: &Globals, _: Args) -> Exit {
    globals.end(answer(globals))
}

fn answer(globals: &Globals) -> Outcome {
    let Begun { state, listener } = begin(globals, |_| Duty::Console)?;
    context::runtime()?.block_on(serve::serve(globals, state, listener)).map_err(not_started)?;
    Ok(Exit::Fine)
}
