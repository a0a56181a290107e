//! Instructions of the gate's own program, counted by valgrind's callgrind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::failure::{Doing, Failure};
use crate::pki::Pki;
use crate::server::{Place, Server};

/// What the gate still does behind an answer is done after so long.
pub const SETTLE: Duration = Duration::from_millis(300);

/// Handshakes within which a gate under valgrind does its first.
const FIRST_TRIES: u32 = 5;

/// A gate that runs under callgrind, and counts when it is told to.
pub struct Callgrind {
    file: PathBuf,
    pid: u32,
    dumps: usize,
}

impl Callgrind {
    /// Has the gate of this place run under callgrind when it is started.
    pub fn prepare(place: &mut Place) -> Result<(), Failure> {
        let preloaded = self_exe(&place.dir)?;
        place.under = [
            "env",
            &format!("LD_PRELOAD={}", preloaded.display()),
            &format!("GATE_PROGRAM={}", place.program.display()),
            "valgrind",
            "--tool=callgrind",
            "--trace-children=yes",
            "--separate-threads=yes",
            "--instr-atstart=no",
            &format!("--callgrind-out-file={}.%p", file(place).display()),
        ]
        .map(str::to_owned)
        .to_vec();
        Ok(())
    }

    /// Proves that the gate does its work, as soon as it can: all of it is translated by valgrind when it runs first, and on
    /// a busy machine the first handshake takes longer than the gate gives it.
    pub async fn wake(server: &Server, pki: &Pki) -> Result<(), Failure> {
        for _ in 1..FIRST_TRIES {
            if server.prove(pki).await.is_ok() {
                return Ok(());
            }
        }
        server.prove(pki).await
    }

    /// The counts of a gate that was started from such a place.
    pub fn of(server: &Server, place: &Place) -> Result<Self, Failure> {
        Ok(Self { file: file(place), pid: gate_process(server)?, dumps: 0 })
    }

    /// The instructions during `work` and shortly after it.
    pub async fn during(
        &mut self,
        work: impl Future<Output = Result<(), Failure>>,
    ) -> Result<Instructions, Failure> {
        self.control(&["-z"])?;
        self.control(&["-i", "on"])?;
        work.await?;
        tokio::time::sleep(SETTLE).await;
        self.control(&["-i", "off"])?;
        self.control(&["-d"])?;
        self.dumps += 1;
        Instructions::of(&self.file, &format!("{}.{}-", self.pid, self.dumps))
    }

    /// Tells callgrind something.
    fn control(&self, words: &[&str]) -> Result<(), Failure> {
        let output = Command::new("callgrind_control").args(words).arg(self.pid.to_string()).output();
        let output = output.doing("callgrind_control")?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        Err(Failure::new(format!(
            "callgrind_control {}: {}",
            words.join(" "),
            String::from_utf8_lossy(&said)
        )))
    }
}

/// What the serving thread alone does.
const SERVES: &str = "gateway::listen::meet";

/// What was counted.
pub struct Instructions {
    /// Of all threads: also of what the gate does all the time, such as to ask the registry for changes.
    pub all: u64,
    /// Of the thread that serves; of the busiest one where the gate was built without names.
    pub serving: u64,
    /// The file of that thread; `callgrind_annotate` shows it by function.
    pub file: PathBuf,
}

impl Instructions {
    /// Adds up the files, one a thread, whose names go on like this behind that of `file`.
    fn of(file: &Path, more: &str) -> Result<Self, Failure> {
        let stem = file.file_name().unwrap_or_default().to_string_lossy();
        let begin = format!("{stem}.{more}");
        let mut found = Self { all: 0, serving: 0, file: PathBuf::new() };
        let mut is_named = false;
        let folder = file.parent().unwrap_or(Path::new("."));
        for one in fs::read_dir(folder).doing("callgrind's output")?.flatten() {
            if !one.file_name().to_string_lossy().starts_with(&begin) {
                continue;
            }
            let text = fs::read_to_string(one.path()).doing("callgrind's output")?;
            let total = total_of(&text).ok_or_else(|| Failure::new("callgrind's output has no total"))?;
            found.all += total;
            // What is done beside it, such as to count a million certificates, may be more.
            let serves = text.contains(SERVES);
            if (serves, total) > (is_named, found.serving) {
                (is_named, found.serving, found.file) = (serves, total, one.path());
            }
        }
        if found.all == 0 { Err(Failure::new("callgrind has counted nothing")) } else { Ok(found) }
    }
}

/// Where callgrind writes: below the state directory, where alone the gate may.
fn file(place: &Place) -> PathBuf {
    place.dir.join("state/callgrind")
}

/// The process that serves; the supervisor is above it.
pub fn gate_process(server: &Server) -> Result<u32, Failure> {
    let serves = |pid: &u32| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        words.split(|byte| *byte == 0).any(|word| word == b"gate")
    };
    server.family().into_iter().find(serves).ok_or_else(|| Failure::new("no process of the gate serves"))
}

/// The library that lets the gate start itself once more under valgrind, made by the C compiler.
fn self_exe(dir: &Path) -> Result<PathBuf, Failure> {
    let (source, made) = (dir.join("self_exe.c"), dir.join("self_exe.so"));
    fs::write(&source, include_str!("callgrind/self_exe.c")).doing(&source.display().to_string())?;
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).args([&made, &source]);
    let output = compiler.output().doing("cc")?;
    if output.status.success() {
        return Ok(made);
    }
    Err(Failure::new(format!("cc: {}", String::from_utf8_lossy(&output.stderr))))
}

/// The instructions in callgrind's file.
fn total_of(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("totals:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threads_of_one_dump_are_added_up_and_the_busiest_is_told() {
        let folder = tempfile::tempdir().expect("a directory");
        let file = folder.path().join("callgrind");
        for (name, total) in [("7.1-01", 9), ("7.2-01", 2), ("7.2-12", 5), ("7.21-01", 9), ("71.2-01", 9)] {
            fs::write(folder.path().join(format!("callgrind.{name}")), format!("totals: {total}\n"))
                .expect("a file");
        }
        let found = Instructions::of(&file, "7.2-").expect("counts");
        assert_eq!((found.all, found.serving), (7, 5));
        assert!(found.file.ends_with("callgrind.7.2-12"));
        fs::write(folder.path().join("callgrind.7.2-03"), "fn=(1) gateway::listen::meet\ntotals: 3\n")
            .expect("a file");
        let found = Instructions::of(&file, "7.2-").expect("counts");
        assert_eq!((found.all, found.serving), (10, 3), "not the busiest");
        assert!(Instructions::of(&file, "7.3-").is_err());
    }

    #[test]
    fn the_total_is_read_from_callgrinds_file() {
        assert_eq!(total_of("version: 1\nevents: Ir\n0 5\ntotals: 1234\n"), Some(1234));
        assert_eq!(total_of("version: 1\n"), None);
    }
}
