//! The gate's process: reads everything, serves, follows the registry, drains.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use gateway::{Gate, GateSettings, Plain};
use policy::Records;
use registry::{Registry, RegistryError};
use tokio::sync::watch;

use super::control::{Control, FromGate, Hello, Link, Order, stdin_socket};
use super::events::{AccessLog, Sink};
use super::figures::Figures;
use super::follow::{self, Beginning, Follower, Unread};
use super::signals::Signals;
use super::snapshot_file::{Header, Place};
use super::sockets::{Role, Socket, There};
use super::upstreams::Told;
use super::{DRAIN, denials, lists, ocsp, passing, state};
use crate::clock;
use crate::config::{Problems, Settings, StateDir, Stored, crl};

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

/// What the supervisor gave to this process, beside the way to it.
pub struct Given {
    /// Sockets that are there already.
    sockets: Vec<Socket>,
    /// Where those are handed back that are listened on.
    returns: UnixStream,
    /// How often to say that all is well.
    alive_every: Option<Duration>,
}

impl Given {
    /// What came on standard input, and the way to the supervisor. Needs a runtime.
    pub fn from_stdin() -> std::io::Result<(Self, Link)> {
        let stream = stdin_socket()?;
        let (Hello { sockets, alive_every_ms }, mut descriptors) = passing::receive(&stream)?;
        let returns = descriptors.pop().ok_or(std::io::ErrorKind::UnexpectedEof)?.into();
        let given = Self {
            sockets: Socket::all(sockets, descriptors),
            returns,
            alive_every: alive_every_ms.map(Duration::from_millis),
        };
        Ok((given, Link::listen(Control::over(stream)?)))
    }
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
    /// Another gate has the sockets.
    is_retired: bool,
}

/// What the policy is read from at the start.
struct Source {
    registry: Option<Registry>,
    state: registry::State,
    confirmed: examiner::UnixTime,
    /// What is refused although the registry no longer says so.
    denials: Option<Records>,
}

/// Reads everything, binds what is not there yet, and serves. Whatever cannot be read stops the start.
pub async fn start(run: GateRun, given: Given, link: &mut Link) -> Result<Serving, StartError> {
    // Before it is ready: a signal that comes at once must drain too.
    let signals = Signals::listen().map_err(|error| StartError::Other(error.to_string()))?;
    let source = source(&run.state_dir).await?;
    let stored = Stored::from(&source.state);
    let mut settings =
        Settings::load_strictly(&run.config, Some(&run.state_dir), Some(&stored), clock::now())
            .map_err(StartError::Settings)?;
    if source.registry.is_some() {
        link.sign().await.map_err(StartError::Other)?;
    }
    let confirmed = Arc::new(AtomicI64::new(source.confirmed.seconds()));
    let gate_state = state::gate_state(&settings, source.state.records.clone(), 1, &confirmed, None)
        .map_err(|error| StartError::Other(error.to_string()))?;

    crl::remember(&mut settings);
    let sockets = Sockets::of(&settings, given.sockets)?;
    sockets.hand_back(&given.returns)?;
    let plain = Plain {
        listen: sockets.http,
        https_port: settings.listen.first().map_or(443, SocketAddr::port),
        lists: Some(lists::lists(run.state_dir.clone())),
        ocsp: Some(ocsp::wire::asking(run.state_dir.clone())),
    };
    let reopen = Arc::new(AtomicBool::new(false));
    let access = match (&settings.log_file, run.silent_access) {
        (Some(path), _) => AccessLog::File(path.clone(), reopen.clone()),
        (None, false) => AccessLog::Stdout,
        (None, true) => AccessLog::File(run.state_dir.path().join("access.log"), reopen.clone()),
    };
    let (store, stores) = watch::channel(source.registry);
    let figures = Figures::default();
    let sink = Sink::start(stores, access, figures.clone());
    let workers =
        settings.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let prove = Arc::new(tokio::sync::Notify::new());
    link.say_when(prove.clone(), FromGate::Prove);
    let gate_settings = GateSettings {
        listen: sockets.listen,
        admin: sockets.admin.into_iter().next(),
        enrol: sockets.enrol.into_iter().next().map(|listen| gateway::Enrol {
            listen,
            renew: super::renewing::renew(run.state_dir.clone()),
            enroller: Arc::new(super::enrolling::Enrolling::with(run.state_dir.clone(), prove)),
        }),
        workers,
        limits: settings.limits.clone(),
        front: settings.front.clone(),
        plain,
        challenges: Some(crate::acme::answers::reading(run.state_dir.clone())),
    };
    let gate = Gate::start(gate_settings, gate_state.clone(), sink.clone(), Arc::new(clock::now))
        .map_err(|error| StartError::Other(error.to_string()))?;
    let gate = Arc::new(gate);
    if let Some(every) = given.alive_every {
        let mut last = vec![0; workers + 1];
        let (gate, sink) = (Arc::downgrade(&gate), Arc::downgrade(&sink));
        link.say_while_alive(every, move || {
            let (Some(gate), Some(sink)) = (gate.upgrade(), sink.upgrade()) else { return false };
            let now: Vec<u64> = gate.rounds().into_iter().chain([sink.rounds()]).collect();
            let all_came_round = now.iter().zip(&last).all(|(now, then)| now > then);
            last = now;
            all_came_round
        });
    }
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
        figures,
        sink: sink.clone(),
    };
    let mut follower = Follower::new(beginning);
    follower.report().await;
    Ok(Serving { gate, follower, reopen, state_dir: run.state_dir, signals, sink, is_retired: false })
}

/// The registry, or where it cannot be read the last policy on disk.
async fn source(state_dir: &StateDir) -> Result<Source, StartError> {
    let place = super::snapshot_place(state_dir);
    let opened = match crate::store::open(state_dir).await {
        Ok(registry) => whole(&registry, &place).await.map(|state| (registry, state)),
        Err(error) => Err(error),
    };
    match opened {
        Ok((registry, mut state)) => {
            let mut kept = None;
            let restored = place.header().is_some_and(|last| {
                // The numbers of a restored registry grow, and would reach those of the last policy.
                let finding = registry.restored().is_some();
                finding || last.kept_denials > 0 || last.epoch != state.epoch || last.seq > state.seq
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

/// What the registry says: the last policy on disk and the changes since, where they lead there; else all of it is read.
async fn whole(registry: &Registry, place: &Place) -> registry::Result<registry::State> {
    if let Some(last) = last_policy(registry, place) {
        let since = last.seq;
        if let Ok(Some(state)) = registry.catch_up(last).await {
            tracing::info!(changes = state.seq - since, "begun with the last policy and the changes since");
            return Ok(state);
        }
    }
    registry.load().await
}

/// The last policy on disk, where it is one of this registry and holds nothing that the registry does not.
fn last_policy(registry: &Registry, place: &Place) -> Option<registry::State> {
    let is_of_registry = |last: &Header| last.kept_denials == 0 && last.epoch == registry.epoch();
    if registry.restored().is_some() || !place.header().is_some_and(|last| is_of_registry(&last)) {
        return None;
    }
    match place.read(clock::now()) {
        Ok((header, state)) => is_of_registry(&header).then_some(state),
        Err(error) => {
            tracing::warn!(%error, "the last policy is of no use: the whole registry is read");
            None
        }
    }
}

impl Serving {
    /// The settings it started with.
    pub fn settings(&self) -> &Settings {
        self.follower.settings()
    }

    /// Serves until SIGTERM or SIGINT, follows the registry, reloads on SIGHUP, then drains. Once retired it goes on
    /// following, until nobody is left. Ends at once when the supervisor is gone: a gate that nobody looks after would
    /// hold the addresses of the next one.
    pub async fn until_ended(mut self, mut link: Link) {
        let gone = link.gone();
        let mut tick = tokio::time::interval(follow::EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut stumbling = false;
        let mut told = Told::default();
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
                    let outcome = self.follower.reload(&mut link, Unread::MustBeRead).await;
                    self.note_reload(&outcome);
                    let _ = link.say(&FromGate::Reloaded(outcome.is_ok())).await;
                }
                order = link.order() => if !self.obey(order, &mut link).await {
                    break;
                },
                _ = tick.tick() => match self.follower.step(&mut link).await {
                    Ok(()) => stumbling = false,
                    Err(error) if !stumbling => {
                        stumbling = true;
                        tracing::error!(%error, "the policy could not be refreshed; the last one stays in force");
                    }
                    Err(_) => {}
                },
            }
            if !self.is_retired {
                told.tell(&self.gate, &self.state_dir);
            } else if self.gate.is_over() {
                break;
            }
        }
        let gate = self.gate.clone();
        let _ = tokio::task::spawn_blocking(move || gate.drain(DRAIN)).await;
        self.sink.flush(LAST_WORDS).await;
        self.follower.end().await;
    }

    /// Does what it is told to; whether it goes on.
    async fn obey(&mut self, order: Order, link: &mut Link) -> bool {
        match order {
            Order::ReadRenewed => {
                if let Err(error) = self.follower.reload(link, Unread::LastGood).await {
                    tracing::error!(%error, "a renewed certificate could not be put in force");
                }
                true
            }
            Order::Retire => {
                self.is_retired = true;
                self.follower.leave_the_snapshot();
                self.gate.retire();
                // The one that serves began with the configuration as it is now.
                self.follow_the_next(link).await
            }
            Order::Follow(taken) => {
                self.reopen.store(true, Ordering::Relaxed);
                !taken || self.follow_the_next(link).await
            }
        }
    }

    /// Reads what the gate that has the sockets now has read. If that cannot be done, what is open here is under rules
    /// that may be past: then it ends.
    async fn follow_the_next(&mut self, link: &mut Link) -> bool {
        let outcome = self.follower.reload(link, Unread::LastGood).await;
        if let Err(error) = &outcome {
            tracing::error!(%error, "the old process cannot take the new configuration: what is open there ends");
        }
        outcome.is_ok()
    }

    fn note_reload(&self, outcome: &Result<(), String>) {
        self.follower.figures().reloaded(outcome.is_ok());
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

/// What is listened on.
struct Sockets {
    listen: Vec<TcpListener>,
    admin: Vec<TcpListener>,
    enrol: Vec<TcpListener>,
    http: Vec<TcpListener>,
    /// All of it, to be handed back.
    all: Vec<Socket>,
}

impl Sockets {
    /// A socket for each address of the configuration: those that are there, and new ones.
    fn of(settings: &Settings, there: Vec<Socket>) -> Result<Self, StartError> {
        let http = settings.http.iter().map(|address| (*address, Role::Http, "http"));
        let listen = settings.listen.iter().map(|address| (*address, Role::Listen, "--listen"));
        let enrol = settings.enrol.iter().map(|enrol| (enrol.listen, Role::Enrol, "[enrol] listen"));
        let wanted: Vec<_> =
            listen.chain([(settings.admin, Role::Admin, "--admin")]).chain(enrol).chain(http).collect();
        let mut there = There::new(there, wanted.iter().map(|(address, ..)| *address).collect());
        let mut sockets = Self { listen: vec![], admin: vec![], enrol: vec![], http: vec![], all: vec![] };
        let taken: Vec<_> = wanted
            .into_iter()
            .map(|(address, role, flag)| {
                there.take(address, role).map_err(|error| not_bound(address, flag, &error))
            })
            .collect();
        // Which of systemd's sockets are wrong says more than that an address is taken.
        there.close().map_err(StartError::Other)?;
        for socket in taken {
            let socket = socket?;
            let of_role = match socket.label.role {
                Some(Role::Admin) => &mut sockets.admin,
                Some(Role::Enrol) => &mut sockets.enrol,
                Some(Role::Http) => &mut sockets.http,
                _ => &mut sockets.listen,
            };
            let listener =
                socket.listener.try_clone().map_err(|error| StartError::Other(error.to_string()))?;
            of_role.push(listener);
            sockets.all.push(socket);
        }
        Ok(sockets)
    }

    /// Gives them to the supervisor, to be kept.
    fn hand_back(&self, to: &UnixStream) -> Result<(), StartError> {
        passing::send(to, &Socket::labels(&self.all), &Socket::descriptors(&self.all)).map_err(|error| {
            StartError::Other(format!("the sockets cannot be given to the supervisor: {error}"))
        })
    }
}

fn not_bound(address: SocketAddr, flag: &str, error: &std::io::Error) -> StartError {
    let hint = match error.kind() {
        std::io::ErrorKind::AddrInUse => format!("; another program has it: choose another with {flag}"),
        std::io::ErrorKind::PermissionDenied => {
            format!("; ports below 1024 need the capability net_bind_service: choose another with {flag}")
        }
        _ => String::new(),
    };
    StartError::Address(format!("cannot listen on {address}: {error}{hint}"))
}
