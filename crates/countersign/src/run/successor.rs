//! An upgrade as the old process sees it: the new one is started, tried, and everything is handed to it.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use authority::files;
use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::control::{Control, FromPredecessor, FromSuccessor, Hello};
use super::passing;
use super::sockets::Socket;
use crate::config::StateDir;

/// How long a new process may take until it serves.
pub const TRIAL: Duration = Duration::from_secs(120);
/// How long what is only said may take.
const WORD: Duration = Duration::from_secs(10);
/// What systemd said to the process that it started; it does not hold for another.
const SAID_TO_ONE: [&str; 4] = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID"];
/// The flag of `run` that says that standard input is the old process.
const TAKE_OVER: &str = "--take-over";

/// How this program was started, and is to be started anew.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    args: Vec<OsString>,
}

impl Program {
    /// This process's command line. A path in it stays as it was written, so that a link may lead to another version.
    pub fn of_this_process() -> std::io::Result<Self> {
        let mut args = std::env::args_os();
        let written = args.next().map(PathBuf::from).filter(|path| path.components().count() > 1);
        let path = match written {
            Some(path) => std::path::absolute(path)?,
            None => std::env::current_exe()?,
        };
        Ok(Self { path, args: args.filter(|arg| arg != TAKE_OVER).collect() })
    }
}

/// How an upgrade ended, as the command reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Upgraded {
    /// Another process serves: its pid and version.
    To(u32, String),
    /// The old one goes on serving: the exit code of the new one, and why.
    Failed(u8, String),
}

impl Upgraded {
    /// Leaves it for the command that asked.
    pub fn note(&self, state_dir: &StateDir) {
        let text = serde_json::to_vec(self).unwrap_or_default();
        if let Err(error) = files::replace_private(&state_dir.upgrade_status(), &text) {
            tracing::warn!(%error, "the upgrade's outcome could not be noted");
        }
    }

    /// What was left, once it is there.
    pub fn noted(state_dir: &StateDir) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(state_dir.upgrade_status()).ok()?).ok()
    }
}

/// A process that is to take over.
pub struct Successor {
    child: Child,
    control: Control,
    until: Instant,
}

impl Successor {
    /// Starts the program as it is on disk now, with the sockets and the lock.
    pub fn start(program: &Program, sockets: &[Socket], lock: &File) -> Result<Self, String> {
        let told = |error: std::io::Error| format!("{} cannot be started: {error}", program.path.display());
        let (ours, theirs) = UnixStream::pair().map_err(told)?;
        let hello = Hello { sockets: Socket::labels(sockets), alive_every_ms: None };
        let mut descriptors = Socket::descriptors(sockets);
        descriptors.push(lock.as_fd());
        passing::send(&ours, &hello, &descriptors).map_err(told)?;
        let mut command = Command::new(&program.path);
        command.args(&program.args).arg(TAKE_OVER);
        for name in SAID_TO_ONE {
            command.env_remove(name);
        }
        let child = command.stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs))).spawn().map_err(told)?;
        let control = Control::over(ours).map_err(told)?;
        Ok(Self { child, control, until: Instant::now() + TRIAL })
    }

    /// What it says next. That it ended, or takes too long, is said as its failure.
    pub async fn next(&mut self) -> FromSuccessor {
        match tokio::time::timeout_at(self.until, self.control.next()).await {
            Ok(Some(said)) => said,
            Ok(None) => {
                let status = tokio::time::timeout(WORD, self.child.wait()).await;
                let status = status.ok().and_then(Result::ok);
                let code = status.and_then(|status| status.code()).and_then(|code| u8::try_from(code).ok());
                let how =
                    status.map_or_else(|| "and cannot be waited for".to_owned(), |status| status.to_string());
                let why = format!("the new process ended before it served ({how}); its reason is in the log");
                FromSuccessor::Failed(code.filter(|code| *code != 0).unwrap_or(70), why)
            }
            Err(_) => {
                let _ = self.child.start_kill();
                let seconds = TRIAL.as_secs();
                FromSuccessor::Failed(1, format!("the new process did not serve within {seconds} seconds"))
            }
        }
    }

    /// Gives it everything; whether it has taken it. It may be asked to end, or to reload, from here on.
    pub async fn hand_over(&mut self) -> bool {
        self.until = Instant::now() + WORD;
        let _ = self.control.say(&FromPredecessor::Yours).await;
        self.next().await == FromSuccessor::HasTaken
    }

    /// What the one that has taken over says; `None` when it is gone.
    pub async fn later(&mut self) -> Option<FromSuccessor> {
        self.control.next().await
    }

    /// Has it read everything anew.
    pub fn hang_up(&self) {
        super::children::signal(&self.child, rustix::process::Signal::HUP);
    }
}
