//! A whole run: every server started, every mode measured in turns, the report written.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use tokio::task::LocalSet;

use crate::cores::Cores;
use crate::failure::{Doing, Failure};
use crate::figures::{Latency, Sample, Samples};
use crate::floor::Floor;
use crate::hall::Hall;
use crate::load::{Crowd, Door, Until, hold};
use crate::options::{Mode, Options};
use crate::pki::FEW;
use crate::report::{self, Machine, Report};
use crate::server::{Kind, Server, gate, program};

/// How long a server may still tidy up before its use is read.
const SETTLE: Duration = Duration::from_millis(100);
/// How long held connections are left alone before their memory is read.
const IDLE: Duration = Duration::from_secs(5);

/// Measures what `options` ask for and writes the report.
pub fn compare(options: &Options) -> Result<(), Failure> {
    let cores = Cores::find()?;
    cores.stay()?;
    let out = program::out(options.out.as_deref())?;
    let (programs, missing) = programs(options)?;
    let modes = options.modes();
    let mut hall = Hall::open(cores, &out, modes.contains(&Mode::HandshakeNew))?;
    let mut servers = Vec::new();
    let mut effective = String::new();
    for (kind, program) in &programs {
        let place = hall.place(*kind, program)?;
        servers.push(Server::start(*kind, &place, &cores)?);
        if *kind == Kind::Gate {
            effective = gate::effective(&place)?;
            println!("The gate's configuration:\n\n{effective}");
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().doing("the runtime")?;
    let (samples, floors) =
        LocalSet::new().block_on(&runtime, rounds(options, &modes, &mut hall, &servers, &programs))?;
    drop(servers);
    let mut named = Vec::new();
    for (kind, program) in &programs {
        named.push((kind.name(), kind.version(program)?));
    }
    let report =
        Report::new(Machine::here(&cores)?, options, &modes, named, missing, &samples, &floors, effective);
    report::write(&report, &out)?;
    print!("{}", report::table(&report));
    println!("\nWritten to {}: report.json, report.svg", out.display());
    Ok(())
}

/// What is measured, the gate first; and the peers that are not installed.
#[allow(clippy::type_complexity)]
fn programs(options: &Options) -> Result<(Vec<(Kind, PathBuf)>, Vec<&'static str>), Failure> {
    let gate = program::gate(options.gate.as_deref())?;
    let (mut programs, mut missing) = (vec![(Kind::Gate, gate)], Vec::new());
    for kind in Kind::PEERS {
        let named = options.peers.iter().any(|peer| kind.is(*peer));
        match kind.find() {
            Some(path) if named || options.peers.is_empty() => programs.push((kind, path)),
            None if named => {
                return Err(Failure::new(format!(
                    "{} is not installed: see bench/install-peers",
                    kind.name()
                )));
            }
            None if options.peers.is_empty() => missing.push(kind.name()),
            _ => {}
        }
    }
    Ok((programs, missing))
}

async fn rounds(
    options: &Options,
    modes: &[Mode],
    hall: &mut Hall,
    servers: &[Server],
    programs: &[(Kind, PathBuf)],
) -> Result<(Samples, Vec<Floor>), Failure> {
    let mut doors = Vec::new();
    for server in servers {
        server.prove(&hall.pki).await?;
        doors.push(Rc::new(server.door(&hall.pki)?));
    }
    let (mut samples, mut floors) = (Samples::default(), Vec::new());
    for round in 1..=options.rounds {
        if modes.iter().any(|mode| matches!(mode, Mode::Handshake | Mode::HandshakeNew)) {
            let each = options.seconds.min(1.0) / 3.0;
            floors.push(hall.cores.on_server_core(|| Floor::measure(&hall.pki, each))?);
        }
        for mode in modes {
            eprintln!("round {round} of {}: {}", options.rounds, mode.name());
            for (number, (server, door)) in servers.iter().zip(&doors).enumerate() {
                let sample = match mode {
                    Mode::Idle => {
                        let (kind, program) = &programs[number];
                        idle(options, hall, *kind, program).await?
                    }
                    _ => measure(options, *mode, server, door).await.map_err(|why| server.blame(&why))?,
                };
                samples.add(*mode, number, sample);
            }
        }
    }
    Ok((samples, floors))
}

/// Processor time of one server under load.
async fn measure(options: &Options, mode: Mode, server: &Server, door: &Rc<Door>) -> Result<Sample, Failure> {
    let crowd = Crowd::gather(mode, door, usize::from(options.connections)).await?;
    tokio::time::sleep(SETTLE).await;
    let before = server.processor_time()?;
    let tally = crowd.work(Until::seconds(options.seconds)).await?;
    tokio::time::sleep(SETTLE).await;
    let used = server.processor_time()? - before;
    let units = tally.latencies.len();
    Ok(Sample {
        value: used / units as f64,
        units,
        rate: units as f64 / tally.seconds,
        latency: Latency::of(tally.latencies),
        memory: server.memory()?,
    })
}

/// Memory of held connections, at a server of its own: one that has worked has memory to spare.
async fn idle(options: &Options, hall: &mut Hall, kind: Kind, program: &Path) -> Result<Sample, Failure> {
    let place = hall.place(kind, program)?;
    let server = Server::start(kind, &place, &hall.cores)?;
    let held = async {
        server.prove(&hall.pki).await?;
        let door = Rc::new(server.door(&hall.pki)?);
        drop(hold(&door, FEW, FEW).await?);
        tokio::time::sleep(SETTLE).await;
        let before = server.memory()?;
        let began = std::time::Instant::now();
        let wires = hold(&door, usize::from(options.idle), FEW).await?;
        let seconds = began.elapsed().as_secs_f64();
        tokio::time::sleep(IDLE).await;
        let memory = server.memory()?;
        let units = wires.len();
        Ok(Sample {
            value: (memory.pss_kb.saturating_sub(before.pss_kb)) as f64 / units as f64,
            units,
            rate: units as f64 / seconds,
            latency: None,
            memory,
        })
    };
    held.await.map_err(|why| server.blame(&why))
}
