//! What a change of the policy costs those who are there: requests under load while parties are suspended, and streams
//! whose certificate is revoked.
//!
//! - [`load`]: ten changes a second beside the requests of others.
//! - [`revocation`]: one certificate with thousands of streams, beside as many of another.

mod load;
mod revocation;

pub use load::A_SECOND;

use std::fs;
use std::rc::Rc;

use serde::Serialize;
use tokio::task::LocalSet;

use crate::cores::Cores;
use crate::failure::{Doing, Failure};
use crate::figures::median;
use crate::hall::Hall;
use crate::options::{ChangeOptions, Mode};
use crate::server::{Kind, Server, gate, program};

/// Everything that was found.
#[derive(Debug, Serialize)]
struct Report {
    /// The gate's version.
    version: String,
    /// Others on record, each with a grant and a pinned certificate, and how many of them with a subject rule.
    others: [u32; 2],
    /// Changes a second.
    changes_a_second: u32,
    /// Seconds of each load.
    seconds: f64,
    /// Requests under way at once.
    connections: u16,
    /// By mode.
    load: Vec<load::Load>,
    /// One a round.
    revocation: Vec<revocation::Revocation>,
}

/// Measures, prints, and writes change.json.
pub fn change(options: &ChangeOptions) -> Result<(), Failure> {
    options.check()?;
    let cores = Cores::find()?;
    cores.stay()?;
    let out = program::out(options.out.as_deref())?;
    let gate = program::gate(options.gate.as_deref())?;
    let mut hall = Hall::open(cores, &out, false)?;
    let mut place = hall.place(Kind::Gate, &gate)?;
    place.others = [options.parties, options.rules.min(options.parties)];
    let server = Server::start(Kind::Gate, &place, &cores)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().doing("the runtime")?;
    let measured = LocalSet::new().block_on(&runtime, async {
        server.prove(&hall.pki).await?;
        let mut revoked = Vec::new();
        for round in 0..options.rounds {
            eprintln!("revocation, round {} of {}", round + 1, options.rounds);
            revoked.push(revocation::measure(options, &hall, &server, &place, round).await?);
        }
        let (mut loads, mut next) = (Vec::new(), 1);
        for mode in [Mode::KeepaliveH1, Mode::KeepaliveH2] {
            let door = Rc::new(server.door(&hall.pki)?);
            loads.push(load::measure(options, mode, &door, &place, &mut next).await?);
        }
        Ok((loads, revoked))
    });
    let (load, revocation) = measured.map_err(|why: Failure| server.blame(&why))?;
    let report = Report {
        version: gate::version(&gate)?,
        others: place.others,
        changes_a_second: A_SECOND,
        seconds: options.seconds,
        connections: options.connections,
        load,
        revocation,
    };
    let json = serde_json::to_string_pretty(&report).doing("change.json")?;
    fs::write(out.join("change.json"), json + "\n").doing("change.json")?;
    print!("{}", table(&report));
    println!("\nWritten to {}: change.json", out.display());
    Ok(())
}

fn table(report: &Report) -> String {
    let [parties, rules] = report.others;
    let mut text = format!("{}\n{parties} parties, {rules} subject rules\n\n", report.version);
    text += &format!(
        "{} changes a second under load, {} rounds of {} s with and without, {} requests at once:\n",
        report.changes_a_second,
        report.load.first().map_or(0, |load| load.rounds.len()),
        report.seconds,
        report.connections
    );
    for load in &report.load {
        let [without, with] = load.p99();
        text += &format!(
            "  {:<14} p99 {:.2} ms without, {:.2} ms with; median of the ratios {:.2}; {} changes, no request failed\n",
            load.mode.name(),
            without / 1e3,
            with / 1e3,
            load.ratio,
            load.rounds.iter().map(|round| round.changes).sum::<usize>(),
        );
    }
    for one in &report.revocation {
        text += &format!(
            "revocation: {} streams ended within {:.1} ms of the snapshot, the first after {:.1} ms; {} others untouched\n",
            one.revoked, one.last_ms, one.first_ms, one.others
        );
    }
    if let Some(last) = median(report.revocation.iter().map(|one| one.last_ms)) {
        text += &format!("median of the last ends: {last:.1} ms\n");
    }
    text
}
