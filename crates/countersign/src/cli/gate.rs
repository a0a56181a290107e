//! `gate`, hidden: the process that faces the internet, as `run` starts it. It reads no CA key.

use std::path::PathBuf;

use super::begun::confined;
use super::context::{self, check_owner};
use super::{Exit, Failure, Globals, Outcome, run as run_cli};
use crate::config::StateDir;
use crate::run::confine::Duty;
use crate::run::control::FromGate;
use crate::run::gate::{self, GateRun, Given};

/// `countersign gate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name it reports under.
    #[arg(long)]
    name: String,
    /// Keep the access log off standard output.
    #[arg(long)]
    silent_access: bool,
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(serve(globals, args))
}

fn serve(globals: &Globals, args: Args) -> Outcome {
    crate::run::take_name();
    run_cli::log_to_stderr(globals);
    let config = globals.config_path();
    let state_dir: StateDir = context::state_dir(globals, &config, crate::clock::now())?;
    check_owner(state_dir.path())?;
    // Before there is another thread: what is given up is given up by all that follow.
    let log: Vec<PathBuf> = context::log_folder(&config).into_iter().collect();
    confined(Duty::Gate, &state_dir, &log)?;
    let runtime = context::runtime()?;
    runtime.block_on(async {
        let not_started = |error: std::io::Error| {
            let help = "it is started by `countersign run`";
            Failure::usage(format!("standard input is not the supervisor's socket: {error}"), help)
        };
        let (given, mut link) = Given::from_stdin().map_err(not_started)?;
        let run = GateRun { config, state_dir, name: args.name, silent_access: args.silent_access };
        let serving = match gate::start(run, given, &mut link).await {
            Ok(serving) => serving,
            Err(error) => {
                let _ = link.say(&FromGate::Failed(error.to_string())).await;
                return Err(error.into());
            }
        };
        let ready = FromGate::Ready(run_cli::ready_line(serving.settings()));
        link.say(&ready).await.map_err(not_started)?;
        serving.until_ended(link).await;
        Ok(Exit::Fine)
    })
}
