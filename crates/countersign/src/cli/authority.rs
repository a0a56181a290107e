//! `authority`, hidden: the process that signs, as `run` starts it. It alone reads the CA's keys while the gate runs.

use authority::Hierarchy;

use super::begun::{Begun, begin, not_started};
use super::{Exit, Globals, Outcome};
use crate::run::confine::Duty;
use crate::run::signing::serve::Authority;

/// `countersign authority`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn command(globals: &Globals, _: Args) -> Exit {
    globals.end(serve(globals))
}

fn serve(globals: &Globals) -> Outcome {
    let Begun { state, listener } = begin(globals, |state| {
        let own = Hierarchy::open(&state.authority());
        let has_token = own.is_ok_and(|own| !own.token_modules().is_empty());
        if has_token { Duty::AuthorityWithToken } else { Duty::Authority }
    })?;
    Authority::new(globals, state)?.serve(&listener).map_err(not_started)?;
    Ok(Exit::Fine)
}
