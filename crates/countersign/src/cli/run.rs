//! `run`, `reload` and the hidden `sign-due`: the gate, its reload, and the short-lived process that signs for it.

use std::time::{Duration, Instant};

use super::context;
use super::{Exit, Failure, Globals, Outcome};
use crate::config::{Settings, StateDir, Stored};
use crate::run::{self, Run, certificates};

/// `countersign run`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// `countersign reload`.
#[derive(Debug, clap::Args)]
pub struct ReloadArgs {}

/// `countersign sign-due`.
#[derive(Debug, clap::Args)]
pub struct SignArgs {}

/// Serves until SIGTERM.
pub fn command(globals: &Globals, _: Args) -> Exit {
    globals.end(serve(globals))
}

/// Makes the running gate read everything anew.
pub fn reload(globals: &Globals, _: ReloadArgs) -> Exit {
    globals.end(reload_running(globals))
}

/// Issues the server certificates that are due.
pub fn sign_due(globals: &Globals, _: SignArgs) -> Exit {
    globals.end(issue_due(globals))
}

fn serve(globals: &Globals) -> Outcome {
    log_to_stderr(globals);
    let config = globals.config_path();
    let state_dir = context::state_dir(globals, &config, crate::clock::now())?;
    if !state_dir.database().exists() {
        globals.say(format!("{} holds no registry yet: it is made now", state_dir.path().display()));
        let sites = Settings::load(&config, Some(&state_dir), None, crate::clock::now())?.sites;
        super::init::make_foundation(&state_dir, &sites.keys().map(ToString::to_string).collect::<Vec<_>>())?;
        super::init::first_operator(&context::Context::open(globals)?)?;
    }
    context::check_owner(state_dir.path())?;
    // A file that is wrong is told as `validate` tells it, with its own exit code.
    settings(globals, &state_dir)?;
    context::runtime()?.block_on(async {
        let serving =
            run::start(Run { config, state_dir, silent_access: false }).await.map_err(start_failure)?;
        globals.say(ready_line(&serving.settings));
        serving.until_ended().await.map_err(|error| Failure::new(Exit::Bug, error.to_string(), ""))?;
        globals.say("ended: everything that ran was given time to finish");
        Ok(Exit::Fine)
    })
}

/// The line that scripts wait for.
pub fn ready_line(settings: &Settings) -> String {
    let listen: Vec<String> = settings.listen.iter().map(ToString::to_string).collect();
    format!("ready: {} site(s) on {}, admin on {}", settings.sites.len(), listen.join(", "), settings.admin)
}

/// A gate that could not start.
pub fn start_failure(what: String) -> Failure {
    let exit = if what.contains("already runs") {
        Exit::No
    } else if what.starts_with("cannot listen") {
        Exit::Unreachable
    } else {
        Exit::Configuration
    };
    Failure::new(exit, what, "nothing is served until this is put right")
}

/// Structured talk of the long-running process, to standard error.
pub fn log_to_stderr(globals: &Globals) {
    let level = match (globals.quiet, globals.verbose) {
        (true, _) => "error",
        (_, true) => "debug",
        _ => "info",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("COUNTERSIGN_LOG").unwrap_or_else(|_| {
        tracing_subscriber::EnvFilter::new(format!("{level},rustls=warn,sqlx=warn,hyper=warn,h2=warn"))
    });
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
}

fn settings(globals: &Globals, state_dir: &StateDir) -> Result<Settings, Failure> {
    let state = context::runtime()?.block_on(async { crate::store::open(state_dir).await?.load().await })?;
    let stored = Stored::from(&state);
    Ok(Settings::load(&globals.config_path(), Some(state_dir), Some(&stored), crate::clock::now())?)
}

fn reload_running(globals: &Globals) -> Outcome {
    let config = globals.config_path();
    let state_dir = context::state_dir(globals, &config, crate::clock::now())?;
    context::check_owner(state_dir.path())?;
    settings(globals, &state_dir)?;
    let Some(pid) = run::running(&state_dir) else {
        let what = format!("no gate runs on {}", state_dir.path().display());
        return Err(Failure::not_found(what, "start one with `countersign run`"));
    };
    if globals.dry_run {
        globals.say(format!("the configuration is valid; the gate (pid {pid}) would read it anew"));
        return Ok(Exit::Fine);
    }
    let status = state_dir.path().join("reload.status");
    let _ = std::fs::remove_file(&status);
    let target = rustix::process::Pid::from_raw(pid)
        .ok_or_else(|| Failure::not_found("the lock names no process", ""))?;
    rustix::process::kill_process(target, rustix::process::Signal::HUP).map_err(|error| {
        Failure::new(Exit::NoPermission, format!("pid {pid} cannot be signalled: {error}"), "")
    })?;
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        if let Some(outcome) = std::fs::read_to_string(&status).ok().filter(|text| text.ends_with('\n')) {
            let outcome = outcome.split_once(' ').map_or("", |(_, rest)| rest).trim().to_owned();
            if outcome == "ok" {
                globals.print(
                    &serde_json::json!({ "reloaded": true, "pid": pid }),
                    format!("reloaded: the gate (pid {pid}) runs on the new configuration"),
                );
                return Ok(Exit::Fine);
            }
            return Err(Failure::new(Exit::Configuration, outcome, "the old policy stays in force"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(Failure::no(format!("the gate (pid {pid}) has not answered within 10 seconds"), "see its log"))
}

fn issue_due(globals: &Globals) -> Outcome {
    let config = globals.config_path();
    let state_dir = context::state_dir(globals, &config, crate::clock::now())?;
    let settings = settings(globals, &state_dir)?;
    let issued = certificates::issue_due(&state_dir, &run::server_names(&settings), crate::clock::now())
        .map_err(|error| {
            Failure::no(error.to_string(), "the server CA's key and its passphrase are needed for this")
        })?;
    globals.print(&serde_json::json!({ "issued": issued }), "");
    Ok(Exit::Fine)
}
