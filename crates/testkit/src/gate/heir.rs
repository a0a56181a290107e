//! The process that an upgrade started: no child of the test, so it is known by its id and its command line.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A `countersign run` that took over from another; ended when dropped.
pub struct Heir {
    pid: u32,
}

impl Heir {
    pub(super) fn new(pid: u32) -> Self {
        Self { pid }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether it runs. One that has ended and was not waited for by whoever inherited it has no command line.
    pub fn runs(&self) -> bool {
        let line = std::fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == b"--take-over")
    }

    /// SIGHUP.
    pub fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    /// SIGTERM; whether it ended within `patience`.
    pub fn terminate(&self, patience: Duration) -> bool {
        self.signal(Signal::TERM);
        let start = Instant::now();
        while self.runs() {
            if start.elapsed() >= patience {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid.filter(|_| self.runs()) {
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Heir {
    fn drop(&mut self) {
        if !self.terminate(Duration::from_secs(15)) {
            self.signal(Signal::KILL);
        }
    }
}
