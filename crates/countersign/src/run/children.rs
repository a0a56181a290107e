//! The processes that the supervisor starts: this very program, once more.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::control::{Control, Hello};
use super::sockets::Socket;
use super::supervise::Run;
use super::{lock, passing};
use crate::config::passphrase;

/// In the time after which the service manager ends this process, a gate says so often that it is alive.
const ALIVE_SHARE: u32 = 4;

/// Has the allocator ask for no huge pages (mimalloc's options): of two megabytes that idle connections hold a little of,
/// the rest can be given back.
const HUGE_PAGES: (&str, &str) = ("MIMALLOC_ALLOW_THP", "0");

/// Has the C library copy with vector registers (its tunables). The string instruction that it takes above 2 kB otherwise
/// is slower by far on processors of AMD where source and target are aligned differently, as a body and its TLS record are.
const COPIES: (&str, &str) = ("GLIBC_TUNABLES", "glibc.cpu.x86_rep_movsb_threshold=1073741824");

/// This very program, to be started once more: the one that runs, also where another stands at its path by now.
pub fn command() -> Command {
    let mut command = Command::new("/proc/self/exe");
    for (name, value) in [HUGE_PAGES, COPIES] {
        if std::env::var_os(name).is_none() {
            command.env(name, value);
        }
    }
    command.arg0("countersign").kill_on_drop(true);
    command.env_remove("COUNTERSIGN_STATE_DIR").env_remove("COUNTERSIGN_CONFIG");
    command
}

/// Gives the process that was started so the program's name again, for `ps` and `top`; a wish, not more.
pub fn take_name() {
    let _ = std::fs::write("/proc/self/comm", "countersign");
}

/// A gate's process, and the ways to it.
pub struct Spawned {
    /// The process.
    pub gate: Child,
    /// What it says.
    pub control: Control,
    /// Where it hands back its sockets.
    pub returns: UnixStream,
}

/// Starts a gate and gives it these sockets.
///
/// `watchdog`: after how long without a sign of life this process is ended.
pub fn spawn(run: &Run, sockets: &[Socket], watchdog: Option<Duration>) -> Result<Spawned, String> {
    let told = |error: std::io::Error| format!("the gate's process cannot be started: {error}");
    let (ours, theirs) = UnixStream::pair().map_err(told)?;
    let (returns, handed_back) = UnixStream::pair().map_err(told)?;
    let alive = watchdog.map(|most| most / ALIVE_SHARE);
    let hello = Hello {
        sockets: Socket::labels(sockets),
        alive_every_ms: alive.and_then(|every| u64::try_from(every.as_millis()).ok()),
    };
    let mut descriptors = Socket::descriptors(sockets);
    descriptors.push(handed_back.as_fd());
    passing::send(&ours, &hello, &descriptors).map_err(told)?;
    let mut command = command();
    command.arg("gate").args(&run.flags).arg("--config").arg(&run.config);
    command.arg("--state-dir").arg(run.state_dir.path());
    command.args(["--name", &lock::gate_name(std::process::id().into())]);
    if run.silent_access {
        command.arg("--silent-access");
    }
    // What opens the CA's keys is not for the process that faces the internet.
    command.env_remove(passphrase::VARIABLE).env_remove(passphrase::CREDENTIALS);
    let gate = command.stdin(Stdio::from(OwnedFd::from(theirs))).spawn().map_err(told)?;
    let control = Control::over(ours).map_err(told)?;
    Ok(Spawned { gate, control, returns })
}

/// Signals a child that has not been waited for, so that its id is nobody else's.
pub fn signal(child: &Child, what: Signal) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process(pid, what);
    }
}
