//! An empty directory and the binary run in it.

use std::collections::HashSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;

use super::Gate;
use crate::process::{self, Output};

/// How long one command may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary under test.
#[derive(Clone, Debug)]
pub struct Binary(PathBuf);

impl Binary {
    /// Its path; tests pass `env!("CARGO_BIN_EXE_countersign")`.
    pub fn new(path: &str) -> Self {
        Self(PathBuf::from(path))
    }

    /// A command that runs it, free of the caller's `COUNTERSIGN_…` variables.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.0);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("COUNTERSIGN_") {
                command.env_remove(name);
            }
        }
        command
    }
}

/// An empty directory, removed when dropped.
pub struct Sandbox {
    binary: Binary,
    dir: TempDir,
}

impl Sandbox {
    /// A new empty directory for `binary`.
    pub fn new(binary: &Binary) -> Self {
        Self { binary: binary.clone(), dir: tempfile::tempdir().expect("a temporary directory") }
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A path inside the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// Writes a file in the directory.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap_or_else(|wrong| panic!("cannot write {name}: {wrong}"));
        path
    }

    /// A file of the directory as text.
    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        match std::fs::read_to_string(self.path(name)) {
            Ok(text) => text,
            Err(wrong) => panic!("cannot read {name}: {wrong}"),
        }
    }

    /// The command `countersign ARGS` in the directory, not yet run.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.binary.command();
        command.args(args).current_dir(self.dir());
        command
    }

    /// Runs `countersign ARGS` to its end, with empty standard input.
    #[track_caller]
    pub fn countersign(&self, args: &[&str]) -> Output {
        self.countersign_with_input(args, b"")
    }

    /// The same with this on standard input.
    #[track_caller]
    pub fn countersign_with_input(&self, args: &[&str], input: &[u8]) -> Output {
        process::run(&mut self.command(args), input, PATIENCE)
    }

    /// Starts `countersign run` and waits until it is ready.
    #[track_caller]
    pub fn start_gate(&self) -> Gate {
        Gate::start(self.command(&["run"]))
    }
}

/// A port of 127.0.0.1 that nobody listens on, never the same twice in one process.
///
/// Taken below the range from which the system gives ports to outgoing connections.
pub fn free_port() -> u16 {
    static GIVEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..1_000 {
        let mut random = [0; 2];
        aws_lc_rs::rand::fill(&mut random).expect("random bytes");
        let port = 10_000 + u16::from_ne_bytes(random) % 22_000;
        if !given.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            given.insert(port);
            return port;
        }
    }
    panic!("no free port between 10000 and 32000");
}
