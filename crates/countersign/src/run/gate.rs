//! The gate's process: reads everything, serves, follows the registry, drains.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use gateway::{Gate, GateSettings};
use policy::Records;
use registry::{Registry, RegistryError};
use tokio::sync::watch;

use super::control::Link;
use super::events::{AccessLog, Sink};
use super::follow::{self, Beginning, Follower, Lists};
use super::signals::Signals;
use super::{DRAIN, denials, state};
use crate::clock;
use crate::config::{Problems, Settings, StateDir, Stored};

/// How long the log may take to be stored at the end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What the process is told to serve.
pub struct GateRun {
    /// The configuration file.
    pub config: PathBuf,
    /// The state directory.
    pub state_dir: StateDir,
    /// The name it reports under.
    pub name: String,
    /// Whether the access log is kept off standard output.
    pub silent_access: bool,
}

/// Why it does not serve.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration does not hold.
    #[error("{0}")]
    Settings(Problems),
    /// An address cannot be listened on.
    #[error("{0}")]
    Address(String),
    /// Anything else that cannot be read or made.
    #[error("{0}")]
    Other(String),
}

/// A gate that serves, until [`Serving::until_ended`] returns.
pub struct Serving {
    gate: Arc<Gate>,
    follower: Follower,
    reopen: Arc<AtomicBool>,
    state_dir: StateDir,
    signals: Signals,
    sink: Arc<Sink>,
}

/// What the policy is read from at the start.
struct Source {
    registry: Option<Registry>,
    state: registry::State,
    confirmed: examiner::UnixTime,
    /// What is refused although the registry no longer says so.
    denials: Option<Records>,
}

/// Reads everything, binds, and serves. Whatever cannot be read stops the start.
pub async fn start(run: GateRun, link: &mut Link) -> Result<Serving, StartError> {
    // Before it is ready: a signal that comes at once must drain too.
    let signals = Signals::listen().map_err(|error| StartError::Other(error.to_string()))?;
    let source = source(&run.state_dir).await?;
    let stored = Stored::from(&source.state);
    let settings = Settings::load_strictly(&run.config, Some(&run.state_dir), Some(&stored), clock::now())
        .map_err(StartError::Settings)?;
    if source.registry.is_some() {
        link.sign().await.map_err(StartError::Other)?;
    }
    let confirmed = Arc::new(AtomicI64::new(source.confirmed.seconds()));
    let gate_state = state::gate_state(&settings, source.state.records.clone(), 1, &confirmed)
        .map_err(|error| StartError::Other(error.to_string()))?;

    let listen =
        settings.listen.iter().map(|address| bind(*address, "--listen")).collect::<Result<Vec<_>, _>>()?;
    let admin = bind(settings.admin, "--admin")?;
    let reopen = Arc::new(AtomicBool::new(false));
    let access = match (&settings.log_file, run.silent_access) {
        (Some(path), _) => AccessLog::File(path.clone(), reopen.clone()),
        (None, false) => AccessLog::Stdout,
        (None, true) => AccessLog::File(run.state_dir.path().join("access.log"), reopen.clone()),
    };
    let (store, stores) = watch::channel(source.registry);
    let sink = Sink::start(stores, access);
    let workers =
        settings.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let gate_settings = GateSettings { listen, admin: Some(admin), workers, limits: settings.limits.clone() };
    let gate = Gate::start(gate_settings, gate_state.clone(), sink.clone(), Arc::new(clock::now))
        .map_err(|error| StartError::Other(error.to_string()))?;
    let gate = Arc::new(gate);
    let beginning = Beginning {
        gate: gate.clone(),
        store,
        config: run.config,
        name: run.name,
        settings,
        state: gate_state,
        read: source.state,
        denials: source.denials,
        confirmed,
    };
    let mut follower = Follower::new(beginning);
    follower.report().await;
    Ok(Serving { gate, follower, reopen, state_dir: run.state_dir, signals, sink })
}

/// The registry, or where it cannot be read the last policy on disk.
async fn source(state_dir: &StateDir) -> Result<Source, StartError> {
    let place = super::snapshot_place(state_dir);
    let opened = match crate::store::open(state_dir).await {
        Ok(registry) => registry.load().await.map(|state| (registry, state)),
        Err(error) => Err(error),
    };
    match opened {
        Ok((registry, mut state)) => {
            let mut kept = None;
            let restored = place.header().is_some_and(|last| {
                last.kept_denials > 0 || last.epoch != state.epoch || last.seq > state.seq
            });
            // An operator has accepted the restored registry while nothing served.
            let accepted = std::fs::remove_file(state_dir.accept_restored()).is_ok();
            if restored && !accepted {
                match place.read(clock::now()) {
                    Ok((_, last)) => kept = Some(denials::of(&last.records)),
                    Err(error) => tracing::error!(%error, "denials from before a restore cannot be read"),
                }
            }
            if let Some(denied) = &kept {
                follow::keep_denials(denied, &mut state.records);
            }
            Ok(Source { registry: Some(registry), state, confirmed: clock::now(), denials: kept })
        }
        Err(error @ RegistryError::Newer { .. }) => Err(StartError::Other(error.to_string())),
        Err(error) if place.exists() => {
            let (header, state) = place.read(clock::now()).map_err(|last| {
                StartError::Other(format!("{error}; and the last policy is of no use: {last}"))
            })?;
            tracing::error!(%error, since = %header.time, "the registry is away: serving the last policy");
            let denials = (header.kept_denials > 0).then(|| denials::of(&state.records));
            Ok(Source { registry: None, state, confirmed: header.time, denials })
        }
        Err(error) => Err(StartError::Other(error.to_string())),
    }
}

impl Serving {
    /// The settings it started with.
    pub fn settings(&self) -> &Settings {
        self.follower.settings()
    }

    /// Serves until SIGTERM or SIGINT, follows the registry, reloads on SIGHUP, then drains. Ends at once when the
    /// supervisor is gone: a gate that nobody looks after would hold the addresses of the next one.
    pub async fn until_ended(mut self, mut link: Link) {
        let gone = link.gone();
        let mut tick = tokio::time::interval(follow::EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut stumbling = false;
        loop {
            tokio::select! {
                _ = self.signals.terminate.recv() => break,
                _ = self.signals.interrupt.recv() => break,
                () = gone.notified() => {
                    tracing::error!("the supervisor is gone: the gate ends");
                    return;
                }
                _ = self.signals.hang_up.recv() => {
                    self.reopen.store(true, Ordering::Relaxed);
                    self.follower.accept_restored();
                    let outcome = self.follower.reload(&mut link, Lists::MustBeRead).await;
                    self.note_reload(&outcome);
                }
                () = link.renewed() => {
                    if let Err(error) = self.follower.reload(&mut link, Lists::LastGood).await {
                        tracing::error!(%error, "a renewed certificate could not be put in force");
                    }
                }
                _ = tick.tick() => match self.follower.step(&mut link).await {
                    Ok(()) => stumbling = false,
                    Err(error) if !stumbling => {
                        stumbling = true;
                        tracing::error!(%error, "the policy could not be refreshed; the last one stays in force");
                    }
                    Err(_) => {}
                },
            }
        }
        let gate = self.gate.clone();
        let _ = tokio::task::spawn_blocking(move || gate.drain(DRAIN)).await;
        self.sink.flush(LAST_WORDS).await;
        self.follower.end().await;
    }

    fn note_reload(&self, outcome: &Result<(), String>) {
        let text = match outcome {
            Ok(()) => {
                tracing::info!("reloaded");
                "ok".to_owned()
            }
            Err(error) => {
                tracing::error!(%error, "reload failed; the old policy stays in force");
                format!("failed: {error}")
            }
        };
        let line = format!("{} {text}\n", clock::now());
        if let Err(error) = std::fs::write(self.state_dir.path().join("reload.status"), line) {
            tracing::warn!(%error, "the reload's outcome could not be noted");
        }
    }
}

fn bind(address: SocketAddr, flag: &str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => format!("; another program has it: choose another with {flag}"),
            std::io::ErrorKind::PermissionDenied => {
                format!("; ports below 1024 need the capability net_bind_service: choose another with {flag}")
            }
            _ => String::new(),
        };
        StartError::Address(format!("cannot listen on {address}: {error}{hint}"))
    })
}
