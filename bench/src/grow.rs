//! What a kept request takes as the gate grows: by the number of parties on record and of live connections, in one table.
//!
//! Instructions are counted by callgrind. Memory is that of the same gate in a second run, without it.

use std::fs;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use tokio::task::LocalSet;

use crate::callgrind::{Callgrind, SETTLE};
use crate::cores::Cores;
use crate::cost;
use crate::failure::{Doing, Failure};
use crate::hall::Hall;
use crate::load::{Crowd, Door, Until, Wire, hold};
use crate::options::{GrowOptions, Mode};
use crate::pki::FEW;
use crate::server::{Kind, Place, Server, program};

/// Units before anything is counted.
const WARM: usize = 32;
/// After so long what was held has come to rest, which is no part of a request.
const REST: Duration = Duration::from_secs(3);
/// Connections that are opened before those that are there ask again.
const AT_ONCE: usize = 500;

/// One row of the table.
#[derive(Debug, Serialize)]
struct Row {
    parties: u32,
    rules: u32,
    /// Live connections beside the one that asks.
    live: usize,
    /// Of a kept request, on the thread that serves.
    instructions_h1: f64,
    /// Of the same on HTTP/2.
    instructions_h2: f64,
    /// Resident memory of the process that serves.
    memory_kb: u64,
}

/// Counts, prints, and writes grow.json.
pub fn grow(options: &GrowOptions) -> Result<(), Failure> {
    let cores = Cores::find()?;
    cores.stay()?;
    let out = program::out(options.out.as_deref())?;
    let gate = program::gate(options.gate.as_deref())?;
    let mut hall = Hall::open(cores, &out, false)?;
    let mut live: Vec<usize> = options.live.iter().map(|live| usize::from(*live)).collect();
    live.sort_unstable();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().doing("the runtime")?;
    let mut rows = Vec::new();
    for parties in &options.parties {
        eprintln!("{parties} parties");
        let mut place = hall.place(Kind::Gate, &gate)?;
        place.others = [*parties, parties.div_ceil(10)];
        let counted = LocalSet::new().block_on(&runtime, counts(options, &live, &mut place, &hall))?;
        let mut place = hall.place(Kind::Gate, &gate)?;
        place.others = [*parties, parties.div_ceil(10)];
        let memory = LocalSet::new().block_on(&runtime, memory(&live, &place, &hall))?;
        for ((live, instructions), memory_kb) in live.iter().zip(counted).zip(memory) {
            let [parties, rules] = place.others;
            let [instructions_h1, instructions_h2] = instructions;
            rows.push(Row { parties, rules, live: *live, instructions_h1, instructions_h2, memory_kb });
        }
    }
    let json = serde_json::to_string_pretty(&rows).doing("grow.json")?;
    fs::write(out.join("grow.json"), json + "\n").doing("grow.json")?;
    print!("{}", table(&rows));
    println!("\nWritten to {}: grow.json", out.display());
    Ok(())
}

/// Instructions of a request with each number of live connections, HTTP/1.1 and HTTP/2.
async fn counts(
    options: &GrowOptions,
    live: &[usize],
    place: &mut Place,
    hall: &Hall,
) -> Result<Vec<[f64; 2]>, Failure> {
    Callgrind::prepare(place)?;
    let server = Server::start(Kind::Gate, place, &hall.cores)?;
    Callgrind::wake(&server, &hall.pki).await?;
    let mut callgrind = Callgrind::of(&server, place)?;
    let door = Rc::new(server.door(&hall.pki)?);
    let (mut held, mut all) = (Vec::new(), Vec::new());
    for live in live {
        hold_on(&mut held, &door, *live).await?;
        let mut counts = [0.0; 2];
        for (mode, count) in [Mode::KeepaliveH1, Mode::KeepaliveH2].into_iter().zip(&mut counts) {
            Crowd::gather(mode, &door, 1).await?.work(Until::Units(WARM)).await?;
            let crowd = Crowd::gather(mode, &door, 1).await?;
            tokio::time::sleep(REST).await;
            let units = options.units as usize;
            let counted = callgrind.during(async { crowd.work(Until::Units(units)).await.map(drop) }).await?;
            *count = counted.serving as f64 / units as f64;
        }
        all.push(counts);
        still_there(&mut held, &door.request("/1k")).await?;
    }
    Ok(all)
}

/// Resident memory of the process that serves, with each number of live connections.
async fn memory(live: &[usize], place: &Place, hall: &Hall) -> Result<Vec<u64>, Failure> {
    let server = Server::start(Kind::Gate, place, &hall.cores)?;
    server.prove(&hall.pki).await?;
    let serving = crate::callgrind::gate_process(&server)?;
    let door = Rc::new(server.door(&hall.pki)?);
    let (mut held, mut all) = (Vec::new(), Vec::new());
    for live in live {
        hold_on(&mut held, &door, *live).await?;
        tokio::time::sleep(SETTLE).await;
        all.push(cost::memory(serving)?.rss_kb);
        still_there(&mut held, &door.request("/1k")).await?;
    }
    Ok(all)
}

/// Holds so many connections. Those that are held ask meanwhile: the gate ends who is silent for too long.
async fn hold_on(held: &mut Vec<Wire>, door: &Rc<Door>, live: usize) -> Result<(), Failure> {
    while held.len() < live {
        held.extend(hold(door, (live - held.len()).min(AT_ONCE), FEW).await?);
        still_there(held, &door.request("/1k")).await?;
    }
    Ok(())
}

/// A connection that has ended is no live one.
async fn still_there(held: &mut [Wire], request: &[u8]) -> Result<(), Failure> {
    for wire in held {
        wire.get(request, 1024).await?;
    }
    Ok(())
}

fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:>9} {:>7} {:>6} {:>13} {:>13} {:>10}\n",
        "parties", "rules", "live", "HTTP/1.1", "HTTP/2", "memory kB"
    );
    for row in rows {
        text += &format!(
            "{:>9} {:>7} {:>6} {:>13.0} {:>13.0} {:>10}\n",
            row.parties, row.rules, row.live, row.instructions_h1, row.instructions_h2, row.memory_kb
        );
    }
    text
}
