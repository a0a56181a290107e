//! Latency of requests while the policy changes ten times a second, and while it does not.
//!
//! A change is a command of the gate's own, `party suspend`, about a party of which nothing is open. While nothing is to
//! change, the same commands run dry: what they take from the machine by themselves is in both. They give way to the
//! visitors, with whom they may share a core.

use std::process::{Child, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::failure::{Doing, Failure};
use crate::figures::{Latency, median};
use crate::load::{Crowd, Door, Until};
use crate::options::{ChangeOptions, Mode};
use crate::server::{Place, gate};

/// Changes a second.
pub const A_SECOND: u32 = 10;
/// How long a server may still tidy up before the next load.
const SETTLE: Duration = Duration::from_millis(300);

/// One mode.
#[derive(Debug, Serialize)]
pub struct Load {
    /// The mode.
    pub mode: Mode,
    /// The 99th hundredth with changes divided by that without, of the same round; the median of the rounds.
    pub ratio: f64,
    /// Each round.
    pub rounds: Vec<Round>,
}

/// One round: the same load twice.
#[derive(Debug, Serialize)]
pub struct Round {
    without: Latency,
    with: Latency,
    /// Requests, without and with.
    requests: [usize; 2],
    /// How many changes were made.
    pub changes: usize,
}

impl Load {
    /// The medians of the 99th hundredths, without and with changes, in microseconds.
    pub fn p99(&self) -> [f64; 2] {
        [|round: &Round| round.without.p99, |round: &Round| round.with.p99]
            .map(|of| median(self.rounds.iter().map(of)).unwrap_or_default())
    }
}

/// Measures one mode; the parties from `next` on are suspended.
pub async fn measure(
    options: &ChangeOptions,
    mode: Mode,
    door: &Rc<Door>,
    place: &Place,
    next: &mut u32,
) -> Result<Load, Failure> {
    let mut rounds = Vec::new();
    for round in 0..options.rounds {
        eprintln!("round {} of {}: {}", round + 1, options.rounds, mode.name());
        let (mut seen, mut requests, mut changes) = ([None, None], [0, 0], 0);
        // Which comes first takes turns.
        for changing in if round % 2 == 0 { [false, true] } else { [true, false] } {
            let crowd = Crowd::gather(mode, door, usize::from(options.connections)).await?;
            tokio::time::sleep(SETTLE).await;
            let commands = commands(place, !changing, *next, options.seconds)?;
            let tally = crowd.work(Until::seconds(options.seconds)).await?;
            let made = tokio::task::spawn_blocking(move || commands.join());
            let made =
                made.await.doing("the changes")?.map_err(|_| Failure::new("the changes broke off"))??;
            if changing {
                *next += made;
                changes = made as usize;
            }
            requests[usize::from(changing)] = tally.latencies.len();
            seen[usize::from(changing)] = Latency::of(tally.latencies);
        }
        let [Some(without), Some(with)] = seen else { return Err(Failure::new("no request was made")) };
        rounds.push(Round { without, with, requests, changes });
    }
    let ratio = median(rounds.iter().map(|round| round.with.p99 / round.without.p99));
    Ok(Load { mode, ratio: ratio.unwrap_or_default(), rounds })
}

/// Begins to run the commands, each in its turn whether the one before has ended or not; how many there were.
fn commands(
    place: &Place,
    dry: bool,
    first: u32,
    seconds: f64,
) -> Result<std::thread::JoinHandle<Result<u32, Failure>>, Failure> {
    let began = Instant::now();
    let count = ((seconds * f64::from(A_SECOND)) as u32).max(1);
    let mut all = Vec::new();
    for party in first..first + count {
        let mut command = gate::humble_command(place, &["party", "suspend", &format!("p{party}")]);
        if dry {
            command.arg("--dry-run");
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        all.push(command);
    }
    let thread = std::thread::Builder::new().spawn(move || {
        let mut running: Vec<Child> = Vec::new();
        for (number, mut command) in (0..).zip(all) {
            let due = began + Duration::from_secs(1) / A_SECOND * number;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            running.push(command.spawn().doing("a change")?);
        }
        for child in running {
            let output = child.wait_with_output().doing("a change")?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                return Err(Failure::new(format!("a change failed: {said}")));
            }
        }
        Ok(count)
    });
    thread.doing("a thread")
}
