//! What the hidden commands have in common that `run` starts to answer on a socket: how such a process begins.

use std::io::Error;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use super::context::{self, check_owner};
use super::{Failure, Globals, run as run_cli};
use crate::config::StateDir;
use crate::run::confine::{Duty, confine, hide_memory};
use crate::run::signing::serve::{end_with_supervisor, listener};

/// A process that has given up what it does not need.
pub struct Begun {
    /// Where its state is.
    pub state: StateDir,
    /// What it answers on.
    pub listener: UnixListener,
}

/// Takes over the socket, hides its memory, confines itself to its duty, and ends with the supervisor from now on.
pub fn begin(globals: &Globals, duty: impl FnOnce(&StateDir) -> Duty) -> Result<Begun, Failure> {
    crate::run::take_name();
    run_cli::log_to_stderr(globals);
    let state = context::state_dir(globals, &globals.config_path(), crate::clock::now())?;
    check_owner(state.path())?;
    let listener = listener().map_err(not_started)?;
    listener.local_addr().map_err(not_started)?;
    hide_memory().map_err(not_started)?;
    confined(duty(&state), &state, &[])?;
    end_with_supervisor().map_err(not_started)?;
    Ok(Begun { state, listener })
}

/// It was started by somebody else, who gave it no such socket.
pub fn not_started(error: Error) -> Failure {
    Failure::usage(
        format!("standard input is no socket to listen on: {error}"),
        "it is started by `countersign run`",
    )
}

/// Confines this process for good, where the kernel can.
pub fn confined(duty: Duty, state: &StateDir, more: &[PathBuf]) -> Result<(), Failure> {
    let confined = confine(duty, state, more).map_err(|what| {
        Failure::new(super::Exit::Bug, what, "please report this, with the kernel's version")
    })?;
    tracing::debug!(?duty, confined, "this process confined itself");
    Ok(())
}
