//! The supervisor: starts the gate, has signed what it asks for, passes signals on, and starts it again if it dies.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal as PosixSignal;
use tokio::process::Child;
use tokio::time::Instant;

use super::children::{Spawned, signal, spawn};
use super::control::{Control, FromGate, FromSuccessor, FromSupervisor};
use super::due::{UPKEEP, changed};
use super::notify::{self, Notifier};
use super::predecessor::Inherited;
use super::signals::Signals;
use super::signing::keeper::{Keeper, Service};
use super::sockets::{self, Socket};
use super::successor::{Program, Successor};
use super::upgrade::{predecessor_said, tried};
use super::{DRAIN, fetching, lock, noticing, ordering, passing, proving};
use crate::config::StateDir;

/// A gate that dies sooner than this waits longer and longer to be started again.
const SETTLED: Duration = Duration::from_secs(60);
/// The longest wait before a gate is started again.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a gate has said already takes no longer than this to be read.
const SAID: Duration = Duration::from_secs(5);

/// Where and with what the gate is run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The configuration file.
    pub config: PathBuf,
    /// The state directory.
    pub state_dir: StateDir,
    /// Whether the access log is kept off standard output (a quickstart's terminal is for people).
    pub silent_access: bool,
    /// Flags that the gate's process is to have as well.
    pub flags: Vec<OsString>,
    /// What is started for an upgrade; without it there are none.
    pub program: Option<Program>,
}

/// Why nothing serves.
#[derive(Debug)]
pub enum NotStarted {
    /// The gate ended before it was ready, said why on standard error, and left with this code.
    Ended(u8),
    /// It was told to end before it was ready.
    Interrupted,
    /// It could not be started at all.
    Fault(String),
}

/// A gate process that is looked after.
pub struct Supervision {
    pub(super) run: Run,
    pub(super) lock: File,
    _presence: lock::Presence,
    pub(super) notifier: Notifier,
    watchdog: Option<Duration>,
    /// What the gate listens on, kept for the next one.
    pub(super) sockets: Vec<Socket>,
    gate: Child,
    pub(super) control: Control,
    /// Where the gate hands back its sockets.
    returns: UnixStream,
    /// The process that this one took over from, as long as it drains.
    pub(super) predecessor: Option<Control>,
    /// The process that is to take over from this one, or has.
    pub(super) successor: Option<Successor>,
    /// A reload was asked for while another process was tried.
    pub(super) has_missed_reload: bool,
    /// Why the gate says it does not serve.
    pub(super) reason: Option<String>,
    pub(super) signals: Signals,
    /// The authority's process, where there is a CA's key.
    pub(super) authority: Option<Keeper>,
    /// The process that answers OCSP, where there is one.
    pub(super) responder: Option<Keeper>,
    /// The console's process.
    pub(super) console: Option<Keeper>,
    /// The process that checks websites for it.
    pub(super) checker: Option<Keeper>,
    started: Instant,
    delay: Duration,
    /// When what is due is looked after next.
    pub(super) upkeep: Instant,
}

/// What happened next.
enum Event {
    End,
    HangUp,
    Upgrade,
    Successor(FromSuccessor),
    PredecessorIsGone,
    Said(FromGate),
    Died(std::io::Result<ExitStatus>),
    Authority,
    Responder,
    Console,
    Checker,
    Upkeep,
}

impl Supervision {
    /// Takes the lock and starts the gate, or takes over from the process that `inherited` came from, and waits until
    /// the gate serves; returns the line that says so.
    pub async fn start(run: Run, inherited: Option<Inherited>) -> Result<(Self, String), NotStarted> {
        let fault = |error: std::io::Error| NotStarted::Fault(error.to_string());
        let is_heir = inherited.is_some();
        let (sockets, lock, predecessor) = match inherited {
            Some(inherited) => {
                let (sockets, lock, predecessor) = inherited.control().map_err(fault)?;
                (sockets, lock, Some(predecessor))
            }
            None => {
                let lock = lock::take(&run.state_dir).map_err(NotStarted::Fault)?;
                (sockets::from_systemd().map_err(NotStarted::Fault)?, lock, None)
            }
        };
        let watchdog = notify::watchdog(is_heir);
        let presence = lock::Presence::begin(&run.state_dir).map_err(fault)?;
        let signals = Signals::listen().map_err(fault)?;
        // One that takes over asks the authority of the process before it until then.
        let authority = if is_heir { None } else { Keeper::begin(&run, Service::Authority) };
        let Spawned { gate, control, returns } =
            spawn(&run, &sockets, watchdog).map_err(NotStarted::Fault)?;
        let now = Instant::now();
        let mut supervision = Self {
            run,
            lock,
            _presence: presence,
            notifier: Notifier::from_env(),
            watchdog,
            sockets,
            gate,
            control,
            returns,
            predecessor,
            successor: None,
            has_missed_reload: false,
            reason: None,
            signals,
            authority,
            responder: None,
            console: None,
            checker: None,
            started: now,
            delay: Duration::ZERO,
            upkeep: now + UPKEEP,
        };
        match supervision.until_ready().await {
            Ok(line) => {
                supervision.take_over().await.map_err(fault)?;
                supervision.keep_authority();
                supervision.notifier.ready(&line);
                Ok((supervision, line))
            }
            Err(error) => {
                supervision.refuse(&error).await;
                Err(error)
            }
        }
    }

    /// Waits until the gate serves, or does not.
    async fn until_ready(&mut self) -> Result<String, NotStarted> {
        loop {
            match self.next().await {
                Event::Said(FromGate::Ready(line)) => {
                    self.keep_sockets();
                    return Ok(line);
                }
                Event::Said(said) => self.answer(said).await,
                Event::Died(status) => {
                    let code = status.ok().and_then(|status| status.code());
                    let code = code.and_then(|code| u8::try_from(code).ok()).unwrap_or(70);
                    return Err(NotStarted::Ended(code));
                }
                Event::End => {
                    self.drain().await;
                    return Err(NotStarted::Interrupted);
                }
                Event::PredecessorIsGone => {
                    return Err(NotStarted::Fault("the process to take over from has ended".into()));
                }
                Event::Authority => self.look_at_authority(),
                Event::Responder => self.look_at_responder(),
                Event::Console => self.look_at_console(),
                Event::Checker => self.look_at_checker(),
                Event::HangUp | Event::Upgrade | Event::Upkeep | Event::Successor(_) => {}
            }
        }
    }

    /// Looks after the gate until SIGTERM or SIGINT, or until another process has taken over and nothing is left;
    /// `say` hears each line that says it serves again.
    pub async fn until_ended(mut self, say: impl Fn(&str)) {
        let fetching = fetching::start(self.run.clone());
        let noticing = noticing::start(self.run.clone());
        let ordering = ordering::start(self.run.clone());
        let proving = proving::start(self.run.clone());
        loop {
            match self.next().await {
                Event::End => break,
                Event::HangUp => {
                    self.notifier.reloading();
                    self.has_missed_reload = self.successor.is_some();
                    self.pass(PosixSignal::HUP);
                    fetching.look();
                    noticing.look();
                    ordering.look();
                    self.keep_authority();
                }
                Event::Upgrade => self.begin_upgrade(),
                Event::Successor(said) => {
                    if self.is_taken_over(said).await {
                        drop((fetching, noticing, ordering, proving));
                        return self.retire().await;
                    }
                }
                Event::PredecessorIsGone => tracing::info!("the process before this one has ended"),
                Event::Said(FromGate::Ready(line)) => {
                    self.keep_sockets();
                    self.notifier.ready(&line);
                    say(&line);
                }
                Event::Said(FromGate::Prove) => proving.look(),
                Event::Said(said) => self.answer(said).await,
                Event::Authority => self.look_at_authority(),
                Event::Responder => self.look_at_responder(),
                Event::Console => self.look_at_console(),
                Event::Checker => self.look_at_checker(),
                Event::Upkeep => self.look_after().await,
                Event::Died(status) => {
                    let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                    tracing::error!(%status, "the gate's process ended; it is started again");
                    self.notifier.doing("the gate's process ended; it is started again");
                    if !self.start_again().await {
                        return;
                    }
                }
            }
        }
        self.end().await;
    }

    /// Keeps what the gate listens on.
    fn keep_sockets(&mut self) {
        let returned =
            self.returns.set_read_timeout(Some(SAID)).and_then(|()| passing::receive(&self.returns));
        match returned {
            Ok((labels, descriptors)) => self.sockets = Socket::all(labels, descriptors),
            Err(error) => tracing::error!(%error, "the gate's sockets cannot be kept for the next one"),
        }
    }

    async fn next(&mut self) -> Event {
        tokio::select! {
            biased;
            _ = self.signals.terminate.recv() => Event::End,
            _ = self.signals.interrupt.recv() => Event::End,
            _ = self.signals.hang_up.recv() => Event::HangUp,
            _ = self.signals.upgrade.recv() => Event::Upgrade,
            said = tried(&mut self.successor) => Event::Successor(said),
            _ = predecessor_said(&mut self.predecessor) => {
                self.predecessor = None;
                Event::PredecessorIsGone
            }
            said = self.control.next() => match said {
                Some(said) => Event::Said(said),
                None => Event::Died(self.ended().await),
            },
            status = self.gate.wait() => Event::Died(status),
            () = changed(&mut self.authority) => Event::Authority,
            () = changed(&mut self.responder) => Event::Responder,
            () = changed(&mut self.console) => Event::Console,
            () = changed(&mut self.checker) => Event::Checker,
            () = tokio::time::sleep_until(self.upkeep) => Event::Upkeep,
        }
    }

    /// The status of a gate whose socket is closed: it ends, or is ended.
    pub(super) async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        match tokio::time::timeout(DRAIN, self.gate.wait()).await {
            Ok(status) => status,
            Err(_) => {
                self.gate.kill().await?;
                self.gate.wait().await
            }
        }
    }

    async fn answer(&mut self, said: FromGate) {
        match said {
            FromGate::Sign => {
                let failure = self.sign().await.err();
                let _ = self.control.say(&FromSupervisor::Signed(failure)).await;
            }
            FromGate::Revoked => self.look_after().await,
            FromGate::Reloaded(taken) => {
                self.notifier.ready(if taken {
                    "reloaded: the new configuration is in force"
                } else {
                    "the reload failed, the old policy stays in force; see the log"
                });
                self.tell_predecessor(taken).await;
            }
            FromGate::Alive => self.notifier.alive(),
            FromGate::Failed(why) => self.reason = Some(why),
            FromGate::Ready(_) | FromGate::Prove => {}
        }
    }

    /// Starts a gate in the place of one that died; `false` when told to end meanwhile.
    async fn start_again(&mut self) -> bool {
        if self.started.elapsed() > SETTLED {
            self.delay = Duration::ZERO;
        }
        loop {
            tokio::select! {
                _ = self.signals.terminate.recv() => return false,
                _ = self.signals.interrupt.recv() => return false,
                () = tokio::time::sleep(self.delay) => {}
            }
            self.delay = (self.delay * 2).clamp(Duration::from_millis(250), PATIENCE);
            match spawn(&self.run, &self.sockets, self.watchdog) {
                Ok(Spawned { gate, control, returns }) => {
                    (self.gate, self.control, self.returns) = (gate, control, returns);
                    self.started = Instant::now();
                    return true;
                }
                Err(error) => tracing::error!(error, "the gate's process cannot be started"),
            }
        }
    }

    /// Lets the gate drain; ends it by force if it takes too long. The processes beside it hear of that and do the same.
    pub async fn end(mut self) {
        self.notifier.stopping("draining");
        (self.predecessor, self.successor) = (None, None);
        self.drain().await;
    }

    async fn drain(&mut self) {
        self.pass(PosixSignal::TERM);
        if tokio::time::timeout(DRAIN * 2, self.until_gate_ends()).await.is_err() {
            let _ = self.gate.kill().await;
        }
    }

    /// Waits for a gate that was told to end. One that asks for a signature just then is told that there is none: it
    /// would wait for it in vain, and be killed before it has written its last policy.
    async fn until_gate_ends(&mut self) {
        loop {
            tokio::select! {
                _ = self.gate.wait() => return,
                said = self.control.next() => match said {
                    Some(FromGate::Sign) => {
                        let none = FromSupervisor::Signed(Some("the gate is told to end".into()));
                        let _ = self.control.say(&none).await;
                    }
                    Some(_) => {}
                    None => {
                        let _ = self.gate.wait().await;
                        return;
                    }
                },
            }
        }
    }

    fn pass(&self, what: PosixSignal) {
        signal(&self.gate, what);
    }
}
