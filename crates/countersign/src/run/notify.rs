//! What the service manager is told (sd_notify(3)): ready, reloading, stopping, the main process, alive.
//!
//! Without NOTIFY_SOCKET nothing is said. A manager that does not listen stops nothing either.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The way to the manager.
#[derive(Debug)]
pub struct Notifier(Option<(UnixDatagram, SocketAddr)>);

impl Notifier {
    /// The manager that NOTIFY_SOCKET names, if any.
    pub fn from_env() -> Self {
        let Some(place) = std::env::var_os("NOTIFY_SOCKET").filter(|place| !place.is_empty()) else {
            return Self(None);
        };
        let address = match place.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name),
            None => SocketAddr::from_pathname(&place),
        };
        let socket = UnixDatagram::unbound().and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
        match address.and_then(|address| Ok((socket?, address))) {
            Ok(manager) => Self(Some(manager)),
            Err(error) => {
                tracing::warn!(%error, place = %place.display(), "the service manager cannot be told anything");
                Self(None)
            }
        }
    }

    /// It serves, or serves again after a reload.
    pub fn ready(&self, status: &str) {
        self.say(&["READY=1", &Self::status(status)]);
    }

    /// It reads everything anew; [`Notifier::ready`] follows.
    pub fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let now = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
        self.say(&["RELOADING=1", &format!("MONOTONIC_USEC={now}")]);
    }

    /// It drains.
    pub fn stopping(&self, status: &str) {
        self.say(&["STOPPING=1", &Self::status(status)]);
    }

    /// What it does, in words.
    pub fn doing(&self, status: &str) {
        self.say(&[&Self::status(status)]);
    }

    /// Another process is the main one from now on.
    pub fn main_process(&self, pid: u32) {
        self.say(&[&format!("MAINPID={pid}")]);
    }

    /// All that has to be alive is.
    pub fn alive(&self) {
        self.say(&["WATCHDOG=1"]);
    }

    /// One line: what follows would be another assignment.
    fn status(text: &str) -> String {
        format!("STATUS={}", text.replace(|character: char| character.is_control(), " "))
    }

    fn say(&self, lines: &[&str]) {
        let Some((socket, manager)) = &self.0 else { return };
        let text = lines.join("\n") + "\n";
        if let Err(error) = socket.send_to_addr(text.as_bytes(), manager) {
            tracing::warn!(%error, "the service manager does not listen");
        }
    }
}

/// After how long without [`Notifier::alive`] the manager ends this process, where it does so at all.
///
/// `inherited`: the process that was told has handed over to this one, and with it what it was told.
pub fn watchdog(inherited: bool) -> Option<Duration> {
    let microseconds = std::env::var("WATCHDOG_USEC").ok()?.parse().ok().filter(|some| *some > 0)?;
    let ours = std::env::var("WATCHDOG_PID").map_or(true, |pid| pid == std::process::id().to_string());
    (ours || inherited).then(|| Duration::from_micros(microseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_line() {
        assert_eq!(Notifier::status("a\nMAINPID=1\r"), "STATUS=a MAINPID=1 ");
    }

    #[test]
    fn it_is_heard_at_a_path_and_at_an_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let at_path = SocketAddr::from_pathname(folder.path().join("notify")).unwrap();
        let name = format!("countersign-test-{}", std::process::id());
        let abstract_one = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
        for address in [at_path, abstract_one] {
            let manager = UnixDatagram::bind_addr(&address).unwrap();
            Notifier(Some((UnixDatagram::unbound().unwrap(), address))).ready("serves");
            let mut heard = [0; 100];
            let length = manager.recv(&mut heard).unwrap();
            assert_eq!(std::str::from_utf8(&heard[..length]).unwrap(), "READY=1\nSTATUS=serves\n");
        }
    }
}
