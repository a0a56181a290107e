//! The supervisor: starts the gate, has signed what it asks for, passes signals on, and starts it again if it dies.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal as PosixSignal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::control::{Control, FromGate, FromSupervisor};
use super::signals::Signals;
use super::upkeep::Done;
use super::{DRAIN, lock};
use crate::config::StateDir;

/// How often server certificates and the revocation list are looked after.
const UPKEEP: Duration = Duration::from_secs(600);
/// A gate that dies sooner than this waits longer and longer to be started again.
const SETTLED: Duration = Duration::from_secs(60);
/// The longest wait before a gate is started again.
const PATIENCE: Duration = Duration::from_secs(30);

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
    run: Run,
    _lock: std::fs::File,
    gate: Child,
    control: Control,
    signals: Signals,
    started: Instant,
    delay: Duration,
    upkeep: Instant,
}

/// What happened next.
enum Event {
    End,
    HangUp,
    Said(FromGate),
    Died(std::io::Result<ExitStatus>),
    Upkeep,
}

impl Supervision {
    /// Takes the lock, starts the gate, and waits until it serves; returns the line that says so.
    pub async fn start(run: Run) -> Result<(Self, String), NotStarted> {
        let lock = lock::take(&run.state_dir).map_err(NotStarted::Fault)?;
        let signals = Signals::listen().map_err(|error| NotStarted::Fault(error.to_string()))?;
        let (gate, control) = spawn(&run).map_err(NotStarted::Fault)?;
        let now = Instant::now();
        let mut supervision = Self {
            run,
            _lock: lock,
            gate,
            control,
            signals,
            started: now,
            delay: Duration::ZERO,
            upkeep: now + UPKEEP,
        };
        loop {
            match supervision.next().await {
                Event::Said(FromGate::Ready(line)) => return Ok((supervision, line)),
                Event::Said(said) => supervision.answer(said).await,
                Event::Died(status) => {
                    let code = status.ok().and_then(|status| status.code());
                    return Err(NotStarted::Ended(
                        code.and_then(|code| u8::try_from(code).ok()).unwrap_or(70),
                    ));
                }
                Event::End => {
                    supervision.drain().await;
                    return Err(NotStarted::Interrupted);
                }
                Event::HangUp | Event::Upkeep => {}
            }
        }
    }

    /// Looks after the gate until SIGTERM or SIGINT; `say` hears each line that says it serves again.
    pub async fn until_ended(mut self, say: impl Fn(&str)) {
        loop {
            match self.next().await {
                Event::End => break,
                Event::HangUp => self.pass(PosixSignal::HUP),
                Event::Said(FromGate::Ready(line)) => say(&line),
                Event::Said(said) => self.answer(said).await,
                Event::Upkeep => self.look_after().await,
                Event::Died(status) => {
                    let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                    tracing::error!(%status, "the gate's process ended; it is started again");
                    if !self.start_again().await {
                        return;
                    }
                }
            }
        }
        self.drain().await;
    }

    async fn next(&mut self) -> Event {
        tokio::select! {
            biased;
            _ = self.signals.terminate.recv() => Event::End,
            _ = self.signals.interrupt.recv() => Event::End,
            _ = self.signals.hang_up.recv() => Event::HangUp,
            said = self.control.next() => match said {
                Some(said) => Event::Said(said),
                None => Event::Died(self.ended().await),
            },
            status = self.gate.wait() => Event::Died(status),
            () = tokio::time::sleep_until(self.upkeep) => Event::Upkeep,
        }
    }

    /// The status of a gate whose socket is closed: it ends, or is ended.
    async fn ended(&mut self) -> std::io::Result<ExitStatus> {
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
            FromGate::Ready(_) => {}
        }
    }

    /// Has what is due signed by this binary, started once more; it alone reads the CA's key.
    async fn sign(&mut self) -> Result<Done, String> {
        self.upkeep = Instant::now() + UPKEEP;
        let output = command()?
            .args(["upkeep", "--quiet", "--json", "--config"])
            .arg(&self.run.config)
            .arg("--state-dir")
            .arg(self.run.state_dir.path())
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(|error| format!("the signing process cannot be started: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("the signing process failed: {}", said.trim()));
        }
        let done: Done = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("the signing process said what is not understood: {error}"))?;
        if let Some(number) = done.published {
            tracing::info!(number, "a revocation list was published");
        }
        if let Some(error) = &done.not_published {
            tracing::error!(error, "a revocation list is due and could not be published");
        }
        if let Some(seconds) = done.publish_in {
            let soon = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
            self.upkeep = self.upkeep.min(Instant::now() + soon);
        }
        Ok(done)
    }

    /// Renews and publishes what is due, and has the gate read what was renewed.
    async fn look_after(&mut self) {
        match self.sign().await {
            Ok(done) if done.issued.is_empty() => {}
            Ok(_) => drop(self.control.say(&FromSupervisor::Renewed).await),
            Err(error) => tracing::error!(%error, "what is due could not be signed"),
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
            match spawn(&self.run) {
                Ok((gate, control)) => {
                    (self.gate, self.control, self.started) = (gate, control, Instant::now());
                    return true;
                }
                Err(error) => tracing::error!(error, "the gate's process cannot be started"),
            }
        }
    }

    /// Lets the gate drain; ends it by force if it takes too long.
    pub async fn end(mut self) {
        self.drain().await;
    }

    async fn drain(&mut self) {
        self.pass(PosixSignal::TERM);
        if tokio::time::timeout(DRAIN * 2, self.gate.wait()).await.is_err() {
            let _ = self.gate.kill().await;
        }
    }

    /// Signals the gate's process, which has not been waited for, so that its id is nobody else's.
    fn pass(&self, signal: PosixSignal) {
        let pid = self.gate.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, signal);
        }
    }
}

fn command() -> Result<Command, String> {
    let binary = std::env::current_exe().map_err(|error| format!("this program cannot be found: {error}"))?;
    let mut command = Command::new(binary);
    command.kill_on_drop(true).env_remove("COUNTERSIGN_STATE_DIR").env_remove("COUNTERSIGN_CONFIG");
    Ok(command)
}

fn spawn(run: &Run) -> Result<(Child, Control), String> {
    let (control, theirs) = Control::pair().map_err(|error| format!("no socket pair: {error}"))?;
    let mut command = command()?;
    command.arg("gate").args(&run.flags).arg("--config").arg(&run.config);
    command.arg("--state-dir").arg(run.state_dir.path());
    command.args(["--name", &lock::gate_name(std::process::id().into())]);
    if run.silent_access {
        command.arg("--silent-access");
    }
    let gate = command
        .stdin(Stdio::from(theirs))
        .spawn()
        .map_err(|error| format!("the gate's process cannot be started: {error}"))?;
    Ok((gate, control))
}
