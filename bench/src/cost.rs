//! What a server used, with all its threads and child processes.

use std::fs;

use serde::Serialize;

use crate::failure::{Doing, Failure};

/// Memory in kB, summed over the processes of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Memory {
    /// Resident; pages shared by processes count in each.
    pub rss_kb: u64,
    /// Resident; pages shared by processes count by their share.
    pub pss_kb: u64,
}

/// How often a family is looked at again when somebody of it ended meanwhile.
const LOOKS: usize = 1000;

/// Processor time used so far by `pid` and all below it, in microseconds: user and system time of
/// `/proc/PID/stat`, in steps of 10 ms, with that of children which have ended.
///
/// Children come and go. Where one ended between being found and being read, what it used is its parent's by then, and
/// all are read again.
pub fn processor_time(pid: u32) -> Result<f64, Failure> {
    for _ in 1..LOOKS {
        if let Ok(ticks) = family(pid).into_iter().map(ticks_used).sum::<Result<u64, Failure>>() {
            return Ok(micros(ticks));
        }
        // Its own end is no change of the family.
        ticks_used(pid)?;
    }
    family(pid).into_iter().map(ticks_used).sum::<Result<u64, Failure>>().map(micros)
}

fn ticks_used(pid: u32) -> Result<u64, Failure> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).doing("the server is gone")?;
    ticks_of(&stat).ok_or_else(|| Failure::new(format!("unreadable: {stat}")))
}

fn micros(ticks: u64) -> f64 {
    ticks as f64 * 1e6 / rustix::param::clock_ticks_per_second() as f64
}

/// Memory of `pid` and all below it. Who ended meanwhile has none.
pub fn memory(pid: u32) -> Result<Memory, Failure> {
    let mut sum = Memory::default();
    for one in family(pid) {
        match memory_of(one) {
            Ok(memory) => {
                sum.rss_kb += memory.rss_kb;
                sum.pss_kb += memory.pss_kb;
            }
            Err(why) if one == pid => return Err(why),
            Err(_) => {}
        }
    }
    Ok(sum)
}

fn memory_of(pid: u32) -> Result<Memory, Failure> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).doing("the server's memory")?;
    let of = |name| kb_of(&text, name).doing("smaps_rollup");
    Ok(Memory { rss_kb: of("Rss:")?, pss_kb: of("Pss:")? })
}

/// The most memory in kB that one process had resident so far; none where it has ended.
pub fn peak_kb(pid: u32) -> Option<u64> {
    kb_of(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmHWM:").ok()
}

/// `pid` and its descendants.
pub fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut next = 0;
    while let Some(pid) = all.get(next).copied() {
        next += 1;
        let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { continue };
        for task in tasks.flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            all.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
    }
    all
}

/// utime, stime, cutime and cstime. The name before them may hold blanks and brackets.
fn ticks_of(stat: &str) -> Option<u64> {
    let (_, after) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    fields.get(11..15)?.iter().map(|field| field.parse::<u64>().ok()).sum()
}

fn kb_of(text: &str, name: &str) -> Result<u64, String> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
    number.ok_or_else(|| format!("no {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_read_behind_the_last_bracket_of_the_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 5 6 7";
        assert_eq!(ticks_of(stat), Some(127));
        assert_eq!(ticks_of("7 (a) S 1"), None);
    }

    #[test]
    fn memory_is_read_from_the_rollup() {
        let text = "55-7f ---p 0 00:00 0 [rollup]\nRss:    1716 kB\nPss:     222 kB\nPss_Anon: 1 kB\n";
        assert_eq!((kb_of(text, "Rss:"), kb_of(text, "Pss:")), (Ok(1716), Ok(222)));
        assert!(kb_of(text, "Swap:").is_err());
    }

    #[test]
    fn children_that_end_while_they_are_looked_at_are_no_fault() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::process::Command::new("true").status().expect("it runs");
                }
            });
            let me = std::process::id();
            for _ in 0..300 {
                processor_time(me).expect("own times");
                memory(me).expect("own memory");
            }
            done.store(true, Ordering::Relaxed);
        });
        assert!(processor_time(u32::MAX).is_err(), "nobody is no family");
    }

    #[test]
    fn a_child_counts_and_its_time_stays_when_it_has_ended() {
        let me = std::process::id();
        let before = processor_time(me).expect("own times");
        let burn = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo; read x";
        let mut child = std::process::Command::new("sh")
            .args(["-c", burn])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("sh");
        let mut said = [0];
        let mut out = child.stdout.take().expect("its output");
        std::io::Read::read_exact(&mut out, &mut said).expect("it is done");
        assert!(family(me).contains(&child.id()));
        let running = processor_time(me).expect("own times");
        assert!(running > before);
        drop(child.stdin.take());
        child.wait().expect("it ends");
        assert!(processor_time(me).expect("own times") >= running);
    }
}
