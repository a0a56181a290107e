//! `run` and `reload`: the supervised gate, and its reload.

use std::path::Path;
use std::time::{Duration, Instant};

use super::context;
use super::init::Authority;
use super::{Exit, Failure, Globals, Outcome};
use crate::config::{Settings, StateDir, Stored};
use crate::run::supervise::NotStarted;
use crate::run::{self, Inherited, Program, Run, Supervision};

/// `countersign run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Take over from the process at standard input, which an upgrade began.
    #[arg(long, hide = true)]
    take_over: bool,
}

/// `countersign reload`.
#[derive(Debug, clap::Args)]
pub struct ReloadArgs {
    /// Accept a registry that was restored from an older copy: forget the denials that the gate kept beside it.
    #[arg(long)]
    accept_restored: bool,
}

/// Serves until SIGTERM.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(if args.take_over { take_over(globals) } else { serve(globals, None) })
}

/// Serves in the place of the process that started this one, or says to it why not.
fn take_over(globals: &Globals) -> Outcome {
    let inherited = Inherited::from_stdin().map_err(|error| {
        let help = "it is used by `countersign upgrade`";
        Failure::usage(format!("standard input is not the process to take over from: {error}"), help)
    })?;
    serve(globals, Some(inherited))
}

/// Makes the running gate read everything anew.
pub fn reload(globals: &Globals, args: ReloadArgs) -> Exit {
    globals.end(reload_running(globals, &args))
}

fn serve(globals: &Globals, inherited: Option<Inherited>) -> Outcome {
    log_to_stderr(globals);
    let run = prepare(globals, inherited.is_some()).inspect_err(|failure| {
        if let Some(inherited) = &inherited {
            inherited.refuse(failure.exit as u8, &failure.to_string());
        }
    })?;
    context::runtime()?.block_on(async {
        let (supervision, ready) = match Supervision::start(run, inherited).await {
            Ok(started) => started,
            Err(error) => return not_started(error),
        };
        globals.say(ready);
        supervision.until_ended(|line| globals.say(line)).await;
        globals.say("ended: everything that ran was given time to finish");
        Ok(Exit::Fine)
    })
}

/// What is run. Makes the registry and the authority where there never were any, unless another process serves here.
fn prepare(globals: &Globals, is_heir: bool) -> Result<Run, Failure> {
    let config = globals.config_path();
    let state_dir = context::state_dir(globals, &config, crate::clock::now())?;
    if !is_heir && is_new(&state_dir) {
        globals.say(format!("{} holds no registry yet: it is made now", state_dir.path().display()));
        let sites = Settings::load(&config, Some(&state_dir), None, crate::clock::now())?.sites;
        let sites = sites.keys().map(ToString::to_string).collect();
        super::init::make_foundation(&state_dir, &Authority { sites, ..Authority::default() })?;
        super::init::first_operator(&context::Context::open(globals)?)?;
    }
    context::check_owner(state_dir.path())?;
    let program = Program::of_this_process()
        .map_err(|error| Failure::new(Exit::Bug, format!("this program cannot be found: {error}"), ""))?;
    Ok(Run { config, state_dir, silent_access: false, flags: flags(globals), program: Some(program) })
}

/// Whether nothing was ever made here. A registry that is gone from a state that was in use is not made anew: it would
/// forget everybody, and every revocation.
fn is_new(state_dir: &StateDir) -> bool {
    !state_dir.database().exists()
        && !run::snapshot_place(state_dir).exists()
        && !authority::Hierarchy::is_at(&state_dir.authority())
}

/// The flags of a command that the gate's process is to have as well.
pub fn flags(globals: &Globals) -> Vec<std::ffi::OsString> {
    let color = match globals.color {
        super::globals::Color::Auto => "auto",
        super::globals::Color::Always => "always",
        super::globals::Color::Never => "never",
    };
    let switches = [(globals.json, "--json"), (globals.quiet, "--quiet"), (globals.verbose, "--verbose")];
    let given = switches.into_iter().filter(|(given, _)| *given).map(|(_, flag)| flag.into());
    given.chain(["--color".into(), color.into()]).collect()
}

/// How `run` ends when nothing serves. What the gate's process ended with, it has said itself.
pub fn not_started(error: NotStarted) -> Outcome {
    match error {
        NotStarted::Ended(code) => Ok(Exit::from_code(code)),
        NotStarted::Interrupted => Ok(Exit::Fine),
        NotStarted::Fault(what) => Err(Failure::no(what, "nothing is served by this command")),
    }
}

/// The line that scripts wait for.
pub fn ready_line(settings: &Settings) -> String {
    let listen: Vec<String> = settings.listen.iter().map(ToString::to_string).collect();
    format!("ready: {} site(s) on {}, admin on {}", settings.sites.len(), listen.join(", "), settings.admin)
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

/// The configuration together with the registry.
pub async fn settings(config: &Path, state_dir: &StateDir) -> Result<Settings, Failure> {
    let stored = Stored::from(&crate::store::open(state_dir).await?.basis().await?);
    Ok(Settings::load(config, Some(state_dir), Some(&stored), crate::clock::now())?)
}

/// Makes the restored registry a new incarnation, and tells the gate to forget what it kept beside it.
fn accept_restored(state_dir: &StateDir) -> Result<(), Failure> {
    context::runtime()?.block_on(async {
        let registry = crate::store::open(state_dir).await?;
        if registry.restored().is_some() {
            registry.confirm_restored(&context::actor(), crate::clock::now()).await?;
        }
        Ok::<_, registry::RegistryError>(())
    })?;
    let accepted = state_dir.accept_restored();
    std::fs::write(&accepted, "").map_err(|error| Failure::file(&accepted, "written", &error))
}

fn reload_running(globals: &Globals, args: &ReloadArgs) -> Outcome {
    let config = globals.config_path();
    let state_dir = context::state_dir(globals, &config, crate::clock::now())?;
    context::check_owner(state_dir.path())?;
    context::runtime()?.block_on(settings(&config, &state_dir))?;
    if args.accept_restored && !globals.dry_run {
        accept_restored(&state_dir)?;
    }
    let Some(pid) = run::running(&state_dir) else {
        if args.accept_restored {
            globals.print(
                &serde_json::json!({ "reloaded": false, "accepted": true }),
                "accepted: the next gate begins with the registry as it is; none runs now",
            );
            return Ok(Exit::Fine);
        }
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
