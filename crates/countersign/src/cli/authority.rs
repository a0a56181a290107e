//! `authority`, hidden: the process that signs, as `run` starts it. It alone reads the CA's keys while the gate runs.

use std::path::PathBuf;

use authority::Hierarchy;

use super::context::{self, check_owner};
use super::{Exit, Failure, Globals, Outcome, run as run_cli};
use crate::config::StateDir;
use crate::run::confine::{Duty, confine, hide_memory};
use crate::run::signing::serve::{Authority, end_with_supervisor, listener};

/// `countersign authority`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn command(globals: &Globals, _: Args) -> Exit {
    globals.end(serve(globals))
}

fn serve(globals: &Globals) -> Outcome {
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
    let has_token = Hierarchy::open(&state.authority()).is_ok_and(|own| !own.token_modules().is_empty());
    let duty = if has_token { Duty::AuthorityWithToken } else { Duty::Authority };
    confined(duty, &state, &[])?;
    end_with_supervisor().map_err(not_started)?;
    Authority::new(globals, state)?.serve(&listener).map_err(not_started)?;
    Ok(Exit::Fine)
}

/// Confines this process for good, where the kernel can.
pub fn confined(duty: Duty, state: &StateDir, more: &[PathBuf]) -> Result<(), Failure> {
    let confined = confine(duty, state, more)
        .map_err(|what| Failure::new(Exit::Bug, what, "please report this, with the kernel's version"))?;
    tracing::debug!(?duty, confined, "this process confined itself");
    Ok(())
}
