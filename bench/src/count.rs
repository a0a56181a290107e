//! What the gate does for each unit, counted and not timed: instructions by valgrind's callgrind, and the system calls of
//! the thread that serves, by strace. One visitor at a time, so that a count is nearly the same each time.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use tokio::task::LocalSet;

use crate::callgrind::{Callgrind, SETTLE, gate_process};
use crate::cores::Cores;
use crate::failure::{Doing, Failure};
use crate::hall::Hall;
use crate::load::{Crowd, Until};
use crate::options::{CountOptions, Mode};
use crate::server::{Kind, Server, program};

/// Units before anything is counted.
const WARM: usize = 32;

/// What one unit of a mode took.
#[derive(Clone, Debug, Serialize)]
struct Count {
    mode: Mode,
    units: usize,
    /// Of all the gate's threads, outside the kernel.
    instructions: Option<f64>,
    /// Of the thread that serves.
    serving: Option<f64>,
    /// Of the thread that serves.
    system_calls: Option<f64>,
    /// Its most frequent ones, each with how often a unit.
    most: Vec<(String, f64)>,
}

/// Counts what `options` ask for and prints it.
pub fn count(options: &CountOptions) -> Result<(), Failure> {
    let cores = Cores::find()?;
    cores.stay()?;
    let out = program::out(options.out.as_deref())?;
    let gate = program::gate(options.gate.as_deref())?;
    let modes = options.modes();
    let mut counts: Vec<Count> = modes
        .iter()
        .map(|mode| Count {
            mode: *mode,
            units: options.units(*mode),
            instructions: None,
            serving: None,
            system_calls: None,
            most: Vec::new(),
        })
        .collect();
    let mut hall = Hall::open(cores, &out, modes.contains(&Mode::HandshakeNew))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().doing("the runtime")?;
    LocalSet::new().block_on(&runtime, async {
        let others = [options.parties, options.rules.min(options.parties)];
        instructions(&mut counts, &mut hall, &gate, &out, others).await?;
        system_calls(&mut counts, &mut hall, &gate, others).await
    })?;
    let text = serde_json::to_string_pretty(&counts).doing("count.json")?;
    fs::write(out.join("count.json"), text).doing("count.json")?;
    print!("{}", table(&counts));
    println!("\nWritten to {}: count.json, callgrind-MODE.out", out.display());
    Ok(())
}

async fn instructions(
    counts: &mut [Count],
    hall: &mut Hall,
    gate: &Path,
    out: &Path,
    others: [u32; 2],
) -> Result<(), Failure> {
    let mut place = hall.place(Kind::Gate, gate)?;
    place.others = others;
    Callgrind::prepare(&mut place)?;
    let server = Server::start(Kind::Gate, &place, &hall.cores)?;
    Callgrind::wake(&server, &hall.pki).await?;
    let mut callgrind = Callgrind::of(&server, &place)?;
    for count in counts {
        let crowd = ready(count.mode, &server, hall).await?;
        let counted =
            callgrind.during(async { crowd.work(Until::Units(count.units)).await.map(drop) }).await?;
        count.instructions = Some(counted.all as f64 / count.units as f64);
        count.serving = Some(counted.serving as f64 / count.units as f64);
        let kept = out.join(format!("callgrind-{}.out", count.mode.name()));
        fs::copy(counted.file, kept).doing("callgrind's output")?;
    }
    Ok(())
}

async fn system_calls(
    counts: &mut [Count],
    hall: &mut Hall,
    gate: &Path,
    others: [u32; 2],
) -> Result<(), Failure> {
    let mut place = hall.place(Kind::Gate, gate)?;
    place.others = others;
    let server = Server::start(Kind::Gate, &place, &hall.cores)?;
    server.prove(&hall.pki).await?;
    let thread = serving_thread(gate_process(&server)?)?;
    for count in counts {
        let crowd = ready(count.mode, &server, hall).await?;
        let file = place.dir.join("strace");
        let strace = Strace::attach(thread, &file).await?;
        crowd.work(Until::Units(count.units)).await?;
        tokio::time::sleep(SETTLE).await;
        strace.detach()?;
        let calls = calls_of(&fs::read_to_string(&file).doing("strace's output")?);
        let a_unit = |calls: u64| calls as f64 / count.units as f64;
        let total = calls.iter().map(|(_, calls)| calls).sum();
        count.system_calls = Some(a_unit(total));
        count.most = calls.into_iter().take(6).map(|(name, calls)| (name, a_unit(calls))).collect();
    }
    Ok(())
}

/// A visitor, at a server that has done the same work before.
async fn ready(mode: Mode, server: &Server, hall: &Hall) -> Result<Crowd, Failure> {
    let door = Rc::new(server.door(&hall.pki)?);
    Crowd::gather(mode, &door, 1).await?.work(Until::Units(WARM)).await?;
    let crowd = Crowd::gather(mode, &door, 1).await?;
    tokio::time::sleep(SETTLE).await;
    Ok(crowd)
}

fn serving_thread(pid: u32) -> Result<u32, Failure> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).doing("the gate's threads")?;
    let named = threads.flatten().find(|thread| {
        fs::read_to_string(thread.path().join("comm")).is_ok_and(|name| name.trim() == "gate-0")
    });
    let id = named.and_then(|thread| thread.file_name().to_str()?.parse().ok());
    id.ok_or_else(|| Failure::new("no thread of the gate is called gate-0"))
}

/// strace on one thread; ended when dropped.
struct Strace(Child);

impl Strace {
    async fn attach(thread: u32, file: &Path) -> Result<Self, Failure> {
        let mut command = Command::new("strace");
        command.arg("-c").arg("-o").arg(file).arg("-p").arg(thread.to_string());
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().doing("strace")?;
        let strace = Self(child);
        let end = Instant::now() + Duration::from_secs(10);
        while !is_traced(thread) {
            if Instant::now() > end {
                return Err(Failure::new("strace may not look at the gate"));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(strace)
    }

    /// Has it write what it counted.
    fn detach(mut self) -> Result<(), Failure> {
        kill_process(Pid::from_child(&self.0), Signal::INT).doing("strace")?;
        self.0.wait().doing("strace").map(drop)
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn is_traced(thread: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).unwrap_or_default();
    status.lines().any(|line| line.strip_prefix("TracerPid:").is_some_and(|pid| pid.trim() != "0"))
}

/// The calls in strace's summary, the most frequent first.
fn calls_of(text: &str) -> Vec<(String, u64)> {
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (share, calls, name) = (fields.first()?, fields.get(3)?, fields.last()?);
        let is_row = share.parse::<f64>().is_ok() && *name != "total";
        Some(((*name).to_owned(), calls.parse().ok()?)).filter(|_| is_row)
    };
    let mut all: Vec<(String, u64)> = text.lines().filter_map(row).collect();
    all.sort_by_key(|(_, calls)| std::cmp::Reverse(*calls));
    all
}

fn table(counts: &[Count]) -> String {
    let mut text = format!(
        "{:<14} {:>14} {:>14} {:>13}  {}\n",
        "mode", "instructions", "serving thread", "system calls", "of these"
    );
    for count in counts {
        let number =
            |value: Option<f64>, places: usize| value.map_or("-".into(), |value| format!("{value:.places$}"));
        let most: Vec<String> = count.most.iter().map(|(name, calls)| format!("{name} {calls:.2}")).collect();
        text += &format!(
            "{:<14} {:>14} {:>14} {:>13}  {}\n",
            count.mode.name(),
            number(count.instructions, 0),
            number(count.serving, 0),
            number(count.system_calls, 2),
            most.join(", ")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_are_read_from_straces_summary() {
        let text = "% time     seconds  usecs/call     calls    errors syscall\n\
                    ------ ----------- ----------- --------- --------- ----------------\n \
                    60.00    0.000012           1        12           sendto\n \
                    40.00    0.000008           0        40         3 recvfrom\n\
                    ------ ----------- ----------- --------- --------- ----------------\n\
                    100.00    0.000020           0        52         3 total\n";
        assert_eq!(calls_of(text), [("recvfrom".to_owned(), 40), ("sendto".to_owned(), 12)]);
    }
}
