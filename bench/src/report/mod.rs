//! What a run found: as a table, as JSON and as a chart.

mod svg;
mod table;

use std::fs;
use std::path::Path;

use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

pub use table::table;

use crate::cores::Cores;
use crate::failure::{Doing, Failure};
use crate::figures::{Figure, Samples, median};
use crate::floor::Floor;
use crate::options::{Mode, Options};

/// Everything that was found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Where and when.
    pub machine: Machine,
    /// Rounds.
    pub rounds: u32,
    /// Seconds for each server, mode and round.
    pub seconds: f64,
    /// Units under way at once.
    pub connections: u16,
    /// Held connections in the mode `idle`.
    pub idle: u16,
    /// What was measured, the gate first.
    pub servers: Vec<Named>,
    /// Peers that are not installed.
    pub missing: Vec<&'static str>,
    /// The cryptography alone; medians of the rounds.
    pub floor: Option<Floor>,
    /// The figures, one a mode.
    pub modes: Vec<Measured>,
    /// What the reader must know.
    pub notes: Vec<String>,
    /// The gate's configuration as it held.
    pub gate_configuration: String,
}

/// A server with its version.
#[derive(Clone, Debug, Serialize)]
pub struct Named {
    /// Its name.
    pub name: &'static str,
    /// Its version and its TLS library's.
    pub version: String,
}

/// One mode's figures, in the order of the servers.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// The mode.
    pub mode: Mode,
    /// What a value counts.
    pub unit: &'static str,
    /// By server.
    pub figures: Vec<Figure>,
}

/// Where and when it was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// The day, UTC.
    pub date: String,
    /// The processor.
    pub processor: String,
    /// The kernel.
    pub kernel: String,
    /// Who ran where.
    pub cores: String,
}

impl Machine {
    /// This machine, now.
    pub fn here(cores: &Cores) -> Result<Self, Failure> {
        let date = OffsetDateTime::now_utc().format(format_description!("[year]-[month]-[day]"));
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Ok(Self {
            date: date.doing("the date")?,
            processor: model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned()),
            kernel: kernel.trim().to_owned(),
            cores: cores.describe(),
        })
    }
}

impl Report {
    /// Puts together what was found.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        machine: Machine,
        options: &Options,
        modes: &[Mode],
        servers: Vec<(&'static str, String)>,
        missing: Vec<&'static str>,
        samples: &Samples,
        floors: &[Floor],
        gate_configuration: String,
    ) -> Self {
        let measured = |mode: &Mode| Measured {
            mode: *mode,
            unit: mode.unit(),
            figures: (0..servers.len()).filter_map(|server| samples.figure(*mode, server)).collect(),
        };
        let of = |part: fn(&Floor) -> f64| median(floors.iter().map(part));
        let floor = of(|f| f.primitives).zip(of(|f| f.chain_known)).zip(of(|f| f.chain_verified));
        let mut notes = vec![
            "Every handshake: TLS 1.3, X25519, AES-128-GCM, ECDSA P-256 on both sides, no resumption."
                .to_owned(),
        ];
        if servers.iter().any(|(_, version)| version.contains("OpenSSL 3.0")) {
            notes.push(
                "nginx and HAProxy run on OpenSSL 3.0, as Debian 12 ships it; its handshakes are known to be \
                 slower than those of older and newer versions."
                    .to_owned(),
            );
        }
        Self {
            modes: modes.iter().map(measured).collect(),
            rounds: options.rounds,
            seconds: options.seconds,
            connections: options.connections,
            idle: options.idle,
            servers: servers.into_iter().map(|(name, version)| Named { name, version }).collect(),
            missing,
            floor: floor.map(|((primitives, chain_known), chain_verified)| Floor {
                primitives,
                chain_known,
                chain_verified,
            }),
            machine,
            notes,
            gate_configuration,
        }
    }

    /// The part of the gate's handshake that is cryptography, from 0 to 1.
    pub fn share_of_cryptography(&self, mode: Mode) -> Option<f64> {
        let floor = self.floor?;
        let floor = match mode {
            Mode::Handshake => floor.chain_known,
            Mode::HandshakeNew => floor.chain_verified,
            _ => return None,
        };
        let measured = self.modes.iter().find(|measured| measured.mode == mode)?;
        Some(floor / measured.figures.first()?.value)
    }
}

/// Writes report.json and report.svg.
pub fn write(report: &Report, out: &Path) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(report).doing("the report")?;
    fs::write(out.join("report.json"), json + "\n").doing("report.json")?;
    fs::write(out.join("report.svg"), svg::chart(report)).doing("report.svg")
}

/// A number with about three digits that matter.
fn short(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::cost::Memory;
    use crate::figures::{Latency, Sample};

    /// Gate and nginx, two rounds of handshakes and one of idle connections.
    pub(crate) fn example() -> Report {
        let mut samples = Samples::default();
        let memory = Memory { rss_kb: 40_960, pss_kb: 20_480 };
        let sample = |value, latency| Sample { value, units: 100, rate: 1500.0, latency, memory };
        let latency = Some(Latency { p50: 800.0, p99: 2500.0, p999: 12_000.0 });
        for (gate, nginx) in [(200.0, 800.0), (300.0, 1200.0)] {
            samples.add(Mode::Handshake, 0, sample(gate, latency));
            samples.add(Mode::Handshake, 1, sample(nginx, latency));
        }
        samples.add(Mode::Idle, 0, sample(40.0, None));
        samples.add(Mode::Idle, 1, sample(20.0, None));
        let machine = Machine {
            date: "2027-03-01".into(),
            processor: "Some <CPU>".into(),
            kernel: "6.1".into(),
            cores: "two cores".into(),
        };
        let options = Options {
            gate: None,
            out: None,
            rounds: 2,
            seconds: 1.0,
            connections: 16,
            idle: 100,
            only: Vec::new(),
            peers: Vec::new(),
        };
        let floors = [Floor { primitives: 90.0, chain_known: 125.0, chain_verified: 175.0 }];
        let servers = vec![
            ("gate", "countersign 0.1.0".to_owned()),
            ("nginx", "nginx 1.22.1, OpenSSL 3.0.19".to_owned()),
        ];
        let modes = [Mode::Handshake, Mode::Idle];
        Report::new(machine, &options, &modes, servers, vec!["envoy"], &samples, &floors, "x = 1".into())
    }

    #[test]
    fn the_share_of_cryptography_is_that_of_the_gates_handshake() {
        let report = example();
        assert_eq!(report.share_of_cryptography(Mode::Handshake), Some(0.5));
        assert_eq!(report.share_of_cryptography(Mode::HandshakeNew), None);
        assert_eq!(report.share_of_cryptography(Mode::Idle), None);
    }

    #[test]
    fn the_json_has_every_round_and_every_version() {
        let json = serde_json::to_value(example()).expect("JSON");
        assert_eq!(json["modes"][0]["mode"], "handshake");
        assert_eq!(json["modes"][0]["figures"][1]["ratio"], 4.0);
        assert_eq!(json["modes"][0]["figures"][1]["rounds"].as_array().map(Vec::len), Some(2));
        assert_eq!(json["servers"][1]["version"], "nginx 1.22.1, OpenSSL 3.0.19");
        assert_eq!(json["missing"][0], "envoy");
    }

    #[test]
    fn old_openssl_is_named() {
        assert!(example().notes.iter().any(|note| note.contains("OpenSSL 3.0")));
    }
}
