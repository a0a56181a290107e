//! Who runs on which core, so that the load generator never takes time from the server.

use std::process::{Child, Command};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::failure::{Doing, Failure};

/// The cores of a run. With fewer than two, nothing is pinned.
#[derive(Clone, Copy, Debug)]
pub struct Cores {
    /// How many this process may use.
    pub count: usize,
    /// The load generator's.
    load: usize,
    /// The measured server's.
    server: usize,
    /// The upstream's.
    upstream: usize,
}

impl Cores {
    /// Shares out the cores that this process may use.
    pub fn find() -> Result<Self, Failure> {
        let allowed = sched_getaffinity(None).doing("the allowed cores")?;
        let all: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
        let nth = |n: usize| all.get(n).or(all.first()).copied().unwrap_or_default();
        Ok(Self { count: all.len(), load: nth(0), server: nth(1), upstream: nth(2) })
    }

    /// Puts the calling thread, and what it will start, on the load generator's core.
    pub fn stay(&self) -> Result<(), Failure> {
        self.pin(self.load)
    }

    /// Starts a server on the server's core.
    pub fn start_server(&self, command: &mut Command) -> Result<Child, Failure> {
        self.start_on(self.server, command)
    }

    /// Starts the upstream on its core.
    pub fn start_upstream(&self, command: &mut Command) -> Result<Child, Failure> {
        self.start_on(self.upstream, command)
    }

    /// Does `work` on the server's core.
    pub fn on_server_core<T>(&self, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        self.pin(self.server)?;
        let done = work();
        self.stay()?;
        done
    }

    /// In words, for the report.
    pub fn describe(&self) -> String {
        match self.count {
            0 | 1 => "one core, shared by all: latencies say little".to_owned(),
            2 => format!(
                "two cores: the server on {}, load generator and upstream together on {}",
                self.server, self.load
            ),
            count => format!(
                "{count} cores: the server on {}, the load generator on {}, the upstream on {}",
                self.server, self.load, self.upstream
            ),
        }
    }

    /// A process inherits the core of the thread that starts it.
    fn start_on(&self, core: usize, command: &mut Command) -> Result<Child, Failure> {
        self.pin(core)?;
        let child = command.spawn();
        self.stay()?;
        child.doing(&format!("cannot start {}", command.get_program().display()))
    }

    fn pin(&self, core: usize) -> Result<(), Failure> {
        if self.count < 2 {
            return Ok(());
        }
        let mut set = CpuSet::new();
        set.set(core);
        sched_setaffinity(None, &set).doing("cannot pin to a core")
    }
}
