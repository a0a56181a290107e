//! `checker`, hidden: the process that looks at websites for the console's page of the check, as `run` starts it. It reads
//! nothing of the state directory, and no CA's key.

use super::begun::{Begun, begin};
use super::check::serve::behind;
use super::{Exit, Globals, Outcome, context};
use crate::run::confine::Duty;

/// `countersign checker`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn command(globals: &Globals, _: Args) -> Exit {
    globals.end(answer(globals))
}

fn answer(globals: &Globals) -> Outcome {
    let Begun { listener, .. } = begin(globals, |_| Duty::Checker)?;
    context::runtime()?.block_on(behind::serve(listener))?;
    Ok(Exit::Fine)
}
