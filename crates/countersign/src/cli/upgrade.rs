//! `upgrade`: the program as it is on disk now takes over from the running one.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Exit, Failure, Globals, Outcome, context, run as run_cli};
use crate::run;
use crate::run::successor::{TRIAL, Upgraded};

/// How much longer than the new process may take the command waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// `countersign upgrade`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The same as SIGUSR2 to the process that `run` started. Connections stay: new ones are accepted \
                        by the new process, those that are open end in the old one."
)]
pub struct Args {}

/// Runs it.
pub fn command(globals: &Globals, _: Args) -> Exit {
    globals.end(upgrade(globals))
}

fn upgrade(globals: &Globals) -> Outcome {
    let config = globals.config_path();
    let state_dir = context::state_dir(globals, &config, context::now())?;
    context::check_owner(state_dir.path())?;
    let none_runs = || {
        let what = format!("no gate runs on {}", state_dir.path().display());
        Failure::not_found(what, "start one with `countersign run`")
    };
    let pid = run::running(&state_dir).ok_or_else(none_runs)?;
    if globals.dry_run {
        context::runtime()?.block_on(run_cli::settings(&config, &state_dir))?;
        globals.say(format!("the configuration is valid; a new process would take over from pid {pid}"));
        return Ok(Exit::Fine);
    }
    let _ = std::fs::remove_file(state_dir.upgrade_status());
    let target = rustix::process::Pid::from_raw(pid).ok_or_else(none_runs)?;
    rustix::process::kill_process(target, rustix::process::Signal::USR2).map_err(|error| {
        Failure::new(Exit::NoPermission, format!("pid {pid} cannot be signalled: {error}"), "")
    })?;
    let start = Instant::now();
    while start.elapsed() < TRIAL + PATIENCE {
        match Upgraded::noted(&state_dir) {
            Some(Upgraded::To(new, version)) => {
                globals.print(
                    &json!({ "upgraded": true, "pid": new, "version": version, "old_pid": pid }),
                    format!(
                        "upgraded: countersign {version} (pid {new}) serves; pid {pid} ends when its connections have"
                    ),
                );
                return Ok(Exit::Fine);
            }
            Some(Upgraded::Failed(code, why)) => {
                let help = format!("the old process (pid {pid}) goes on serving");
                return Err(Failure::new(Exit::from_code(code), why, help));
            }
            None if run::running(&state_dir).is_none() => return Err(none_runs()),
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
    let seconds = start.elapsed().as_secs();
    Err(Failure::no(format!("the gate (pid {pid}) has not answered within {seconds} seconds"), "see its log"))
}
