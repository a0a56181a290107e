//! `countersign run`: the gate, its follower of the registry, and the short-lived process that signs for it.
//!
//! The process that faces the internet never reads a CA key: [`sign`] starts this binary once more for that, and waits
//! for its end.

pub mod certificates;
mod events;
mod follow;
mod state;

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use gateway::{Gate, GateSettings};
use registry::Registry;
use tokio::signal::unix::{SignalKind, signal};

use self::events::{AccessLog, Sink};
use self::follow::{Beginning, Follower};
use crate::clock;
use crate::config::{Settings, StateDir, Stored};

/// How long running exchanges may take to end after SIGTERM.
const DRAIN: Duration = Duration::from_secs(10);
/// How often server certificates and the revocation list are looked after.
const UPKEEP: Duration = Duration::from_secs(600);

/// Settings with what the registry held when they were read.
pub struct Loaded {
    /// What holds.
    pub settings: Settings,
    /// The registry's whole state.
    pub state: registry::State,
}

/// Reads the configuration together with the registry.
pub async fn load(config: &Path, state_dir: &StateDir, registry: &Registry) -> Result<Loaded, String> {
    let state = registry.load().await.map_err(|error| error.to_string())?;
    let stored = Stored::from(&state);
    let settings =
        Settings::load(config, Some(state_dir), Some(&stored), clock::now()).map_err(|p| p.to_string())?;
    Ok(Loaded { settings, state })
}

/// Starts this binary once more to sign what is due; it alone reads the CA's key.
pub fn sign(config: &Path, state_dir: &StateDir) -> Result<(), String> {
    let binary = std::env::current_exe().map_err(|error| format!("this program cannot be found: {error}"))?;
    let output = std::process::Command::new(binary)
        .args(["sign-due", "--quiet", "--config"])
        .arg(config)
        .arg("--state-dir")
        .arg(state_dir.path())
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|error| format!("the signing process cannot be started: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("the signing process failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

/// Where and with what the gate is run.
pub struct Run {
    /// The configuration file.
    pub config: PathBuf,
    /// The state directory.
    pub state_dir: StateDir,
    /// Whether the access log is kept off standard output (a quickstart's terminal is for people).
    pub silent_access: bool,
}

/// A gate that serves, until [`Serving::until_ended`] returns.
pub struct Serving {
    gate: Arc<Gate>,
    follower: Follower,
    reopen: Arc<AtomicBool>,
    config: PathBuf,
    state_dir: StateDir,
    _lock: std::fs::File,
    /// The settings it started with.
    pub settings: Settings,
}

/// Takes the lock, reads everything, binds, and serves. Whatever cannot be read stops the start.
pub async fn start(run: Run) -> Result<Serving, String> {
    let lock = lock(&run.state_dir)?;
    let registry = Registry::open(&run.state_dir.database()).await.map_err(|error| error.to_string())?;
    sign(&run.config, &run.state_dir)?;
    let Loaded { settings, state } = load(&run.config, &run.state_dir, &registry).await?;
    let confirmed = Arc::new(AtomicI64::new(clock::now().seconds()));
    let gate_state =
        state::gate_state(&settings, state.records.clone(), 1, &confirmed).map_err(|e| e.to_string())?;

    let listen =
        settings.listen.iter().map(|address| bind(*address, "--listen")).collect::<Result<Vec<_>, _>>()?;
    let admin = bind(settings.admin, "--admin")?;
    let reopen = Arc::new(AtomicBool::new(false));
    let access = match (&settings.log_file, run.silent_access) {
        (Some(path), _) => AccessLog::File(path.clone(), reopen.clone()),
        (None, false) => AccessLog::Stdout,
        (None, true) => AccessLog::File(run.state_dir.path().join("access.log"), reopen.clone()),
    };
    let sink = Sink::start(registry.clone(), access);
    let workers =
        settings.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let gate_settings = GateSettings { listen, admin: Some(admin), workers, limits: settings.limits.clone() };
    let gate = Gate::start(gate_settings, gate_state.clone(), sink, Arc::new(clock::now))
        .map_err(|e| e.to_string())?;
    let gate = Arc::new(gate);
    let beginning =
        Beginning { state: gate_state, records: state.records, epoch: state.epoch, seq: state.seq };
    let mut follower =
        Follower::new(gate.clone(), registry, run.config.clone(), settings.clone(), beginning, confirmed);
    follower.report().await;
    Ok(Serving {
        gate,
        follower,
        reopen,
        config: run.config,
        state_dir: run.state_dir,
        _lock: lock,
        settings,
    })
}

impl Serving {
    /// Serves until SIGTERM or SIGINT, follows the registry, reloads on SIGHUP, then drains.
    pub async fn until_ended(mut self) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let mut tick = tokio::time::interval(follow::EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut upkeep = tokio::time::interval_at(tokio::time::Instant::now() + UPKEEP, UPKEEP);
        let mut stumbling = false;
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hang_up.recv() => {
                    self.reopen.store(true, Ordering::Relaxed);
                    let outcome = self.follower.reload().await;
                    self.note_reload(&outcome);
                }
                _ = tick.tick() => match self.follower.step().await {
                    Ok(()) => stumbling = false,
                    Err(error) if !stumbling => {
                        stumbling = true;
                        tracing::error!(%error, "the policy could not be refreshed; the last one stays in force");
                    }
                    Err(_) => {}
                },
                _ = upkeep.tick() => self.look_after().await,
            }
        }
        let gate = self.gate.clone();
        let _ = tokio::task::spawn_blocking(move || gate.drain(DRAIN)).await;
        Ok(())
    }

    /// Renews what is due, and puts a renewed certificate in force.
    async fn look_after(&mut self) {
        let now = clock::now();
        let names = server_names(&self.settings);
        if !names.iter().any(|name| certificates::is_due(&self.state_dir, name, now)) {
            return;
        }
        if let Err(error) = sign(&self.config, &self.state_dir) {
            tracing::error!(%error, "a server certificate is due and could not be renewed");
        } else if let Err(error) = self.follower.reload().await {
            tracing::error!(%error, "the renewed certificate could not be put in force");
        }
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

/// The names that need an own server certificate: sites with `own-ca`, and the admin address.
pub fn server_names(settings: &Settings) -> Vec<String> {
    let own = settings
        .sites
        .values()
        .filter(|site| site.certificate == crate::config::keys::CertificateFile::OwnCa);
    own.map(|site| site.name.to_string()).chain([certificates::ADMIN.to_owned()]).collect()
}

/// One gate a state directory: the lock holds the pid of the one that runs.
fn lock(state_dir: &StateDir) -> Result<std::fs::File, String> {
    let path = state_dir.lock();
    let shown = path.display();
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(|error| format!("{shown}: {error}"))?;
    if file.try_lock().is_err() {
        let pid = std::fs::read_to_string(&path).unwrap_or_default();
        return Err(format!("a gate already runs on {} (pid {})", state_dir.path().display(), pid.trim()));
    }
    file.set_len(0)
        .and_then(|()| write!(file, "{}", std::process::id()))
        .map_err(|error| format!("{shown}: {error}"))?;
    Ok(file)
}

/// The pid of the gate that holds the lock, where one does.
pub fn running(state_dir: &StateDir) -> Option<i32> {
    let file = std::fs::File::open(state_dir.lock()).ok()?;
    if file.try_lock_shared().is_ok() {
        return None;
    }
    std::fs::read_to_string(state_dir.lock()).ok()?.trim().parse().ok()
}

/// The name under which a gate process reports.
pub fn gate_name(pid: i64) -> String {
    format!("gate-{pid}")
}

/// The receipts of gates that run now on this state directory.
pub fn live(state_dir: &StateDir, mut receipts: Vec<registry::Receipt>) -> Vec<registry::Receipt> {
    let name = running(state_dir).map(|pid| gate_name(pid.into()));
    receipts.retain(|receipt| Some(&receipt.gate) == name.as_ref());
    receipts
}

fn bind(address: std::net::SocketAddr, flag: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => format!("; another program has it: choose another with {flag}"),
            std::io::ErrorKind::PermissionDenied => {
                format!("; ports below 1024 need the capability net_bind_service: choose another with {flag}")
            }
            _ => String::new(),
        };
        format!("cannot listen on {address}: {error}{hint}")
    })
}
