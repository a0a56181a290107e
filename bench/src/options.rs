//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Serialize;

use crate::change;
use crate::failure::Failure;

/// Measures the gate beside nginx, HAProxy, Caddy and Envoy.
#[derive(Debug, Parser)]
#[command(name = "bench")]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Measure the gate and its peers in turns, and write the report.
    Compare(Options),
    /// Count instructions and system calls of the gate, with valgrind and strace.
    Count(CountOptions),
    /// Measure commands, lists, OCSP and the gate's start with very many certificates on record.
    Scale(ScaleOptions),
    /// Measure what changes of the policy cost those who are there: ten a second under load, and a revocation.
    Change(ChangeOptions),
    /// Count a request's instructions by the number of parties and of live connections, with valgrind.
    Grow(GrowOptions),
    /// Measure pages of the console with very many parties and a very long log.
    Pages(PagesOptions),
    /// The website behind the servers; `compare` starts it.
    #[command(hide = true)]
    Upstream {
        /// Port of 127.0.0.1.
        #[arg(long)]
        port: u16,
    },
}

/// What a run measures, and how long.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The gate; the binary beside this one where absent, such as target/release/countersign.
    #[arg(long, value_name = "PATH")]
    pub gate: Option<PathBuf>,
    /// Where report.json and report.svg go; `bench` in the target directory where absent.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Rounds, 1 to 100.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,
    /// Seconds for each server, mode and round, 0.05 to 60.
    #[arg(long, default_value = "2", value_parser = seconds)]
    pub seconds: f64,
    /// Requests or handshakes under way at once, 1 to 48: the gate takes 50 half-open ones from an address.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=48))]
    pub connections: u16,
    /// Connections held by the mode `idle`, 16 to 4000.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u16).range(16..=4000))]
    pub idle: u16,
    /// Only these modes.
    #[arg(long, value_name = "MODE", value_delimiter = ',')]
    pub only: Vec<Mode>,
    /// Only these peers, and it is an error if one is missing; `none` for the gate alone.
    #[arg(long, value_name = "PEER", value_delimiter = ',')]
    pub peers: Vec<Peer>,
}

impl Options {
    /// The modes asked for, in their order.
    pub fn modes(&self) -> Vec<Mode> {
        let asked = |mode: &Mode| self.only.is_empty() || self.only.contains(mode);
        Mode::value_variants().iter().copied().filter(asked).collect()
    }
}

/// What is counted.
#[derive(Clone, Debug, Args)]
pub struct CountOptions {
    /// The gate; the binary beside this one where absent. With line tables the counts can be read by function.
    #[arg(long, value_name = "PATH")]
    pub gate: Option<PathBuf>,
    /// Where count.json goes; `bench` in the target directory where absent.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Only these modes; those with a unit to be counted.
    #[arg(long, value_name = "MODE", value_delimiter = ',')]
    pub only: Vec<Mode>,
    /// Units of each mode, 1 to 100000; fitting ones where absent.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub units: Option<u32>,
    /// Other parties on record, each with a grant and a pinned certificate; 0 to 1000000.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub parties: u32,
    /// So many of them also have a subject rule.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub rules: u32,
}

impl CountOptions {
    /// The modes asked for, in their order. Held connections are no work.
    pub fn modes(&self) -> Vec<Mode> {
        let default = |mode: &Mode| !matches!(mode, Mode::Idle | Mode::Body100m | Mode::HandshakeNew);
        let asked = |mode: &Mode| if self.only.is_empty() { default(mode) } else { self.only.contains(mode) };
        Mode::value_variants().iter().copied().filter(|mode| *mode != Mode::Idle).filter(asked).collect()
    }

    /// Units of this mode.
    pub fn units(&self, mode: Mode) -> usize {
        self.units.map_or_else(
            || match mode {
                Mode::Handshake | Mode::HandshakeNew | Mode::Connection => 200,
                Mode::KeepaliveH1 | Mode::KeepaliveH2 | Mode::Idle => 2000,
                Mode::Body1m => 50,
                Mode::Body100m => 1,
            },
            |units| units as usize,
        )
    }
}

/// With how much `scale` measures.
#[derive(Clone, Debug, Args)]
pub struct ScaleOptions {
    /// The gate; the binary beside this one where absent.
    #[arg(long, value_name = "PATH")]
    pub gate: Option<PathBuf>,
    /// Where scale.json goes; `target/bench` where absent.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Certificates on record, 100 to 10000000; every twentieth is revoked.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    pub certificates: u32,
}

/// How the policy changes, and beside what.
#[derive(Clone, Debug, Args)]
pub struct ChangeOptions {
    /// The gate; the binary beside this one where absent.
    #[arg(long, value_name = "PATH")]
    pub gate: Option<PathBuf>,
    /// Where change.json goes; `bench` in the target directory where absent.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Rounds, 1 to 100.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,
    /// Seconds of load with changes, and as many without, each round; 0.05 to 60.
    #[arg(long, default_value = "5", value_parser = seconds)]
    pub seconds: f64,
    /// Requests under way at once, 1 to 48.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=48))]
    pub connections: u16,
    /// Other parties on record, each with a grant and a pinned certificate, 1000 to 1000000.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1000..=1_000_000))]
    pub parties: u32,
    /// So many of them also have a subject rule.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub rules: u32,
    /// Live streams of the certificate that is revoked, and as many of another, 1 to 5000.
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u16).range(1..=5000))]
    pub streams: u16,
}

impl ChangeOptions {
    /// Each change is about a party of its own.
    pub fn check(&self) -> Result<(), Failure> {
        let changes = 2.0 * f64::from(self.rounds) * (self.seconds * f64::from(change::A_SECOND)).max(1.0);
        if changes > f64::from(self.parties) {
            return Err(Failure::new(format!(
                "{changes:.0} changes need as many parties, not {}",
                self.parties
            )));
        }
        Ok(())
    }
}

/// Up to how much it grows.
#[derive(Clone, Debug, Args)]
pub struct GrowOptions {
    /// The gate; the binary beside this one where absent.
    #[arg(long, value_name = "PATH")]
    pub gate: Option<PathBuf>,
    /// Where grow.json goes; `bench` in the target directory where absent.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Other parties on record, each number 1 to 1000000; every tenth also has a subject rule.
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "10,1000,100000,1000000",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub parties: Vec<u32>,
    /// Live connections, each number 1 to 5000.
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1,10,100,1000,5000",
        value_parser = clap::value_parser!(u16).range(1..=5000))]
    pub live: Vec<u16>,
    /// Requests for each count, 10 to 100000.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    pub units: u32,
}

/// With how much `pages` measures.
#[derive(Clone, Debug, Args)]
pub struct PagesOptions {
    /// The gate; the binary beside this one where absent.
    #[arg(long, value_name = "PATH")]
    pub gate: Option<PathBuf>,
    /// Where pages.json goes; `target/bench` where absent.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Parties on record, 100 to 1000000.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub parties: u32,
    /// Entries of the log, 1000 to 10000000.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1000..=10_000_000))]
    pub entries: u32,
    /// How often each page is asked for, 1 to 1000.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub times: u32,
}

/// One kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// A full mutual handshake; 16 certificates in turn, each seen before.
    Handshake,
    /// The same, with so many certificates that each chain is verified anew.
    HandshakeNew,
    /// A connection with one request.
    Connection,
    /// A request of 1 KiB on a connection that stays, HTTP/1.1.
    KeepaliveH1,
    /// The same on streams of HTTP/2.
    KeepaliveH2,
    /// A body of 1 MiB.
    #[value(name = "body-1m")]
    #[serde(rename = "body-1m")]
    Body1m,
    /// A body of 100 MiB.
    #[value(name = "body-100m")]
    #[serde(rename = "body-100m")]
    Body100m,
    /// Memory of a connection that is held after one request.
    Idle,
}

impl Mode {
    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::HandshakeNew => "handshake-new",
            Self::Connection => "connection",
            Self::KeepaliveH1 => "keepalive-h1",
            Self::KeepaliveH2 => "keepalive-h2",
            Self::Body1m => "body-1m",
            Self::Body100m => "body-100m",
            Self::Idle => "idle",
        }
    }

    /// What its figure counts.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Handshake | Self::HandshakeNew => "microseconds of processor time a handshake",
            Self::Connection => "microseconds of processor time a connection",
            Self::KeepaliveH1 | Self::KeepaliveH2 => "microseconds of processor time a request",
            Self::Body1m | Self::Body100m => "microseconds of processor time a body",
            Self::Idle => "kB of memory (Pss) a connection",
        }
    }
}

/// Another server, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Peer {
    None,
    Nginx,
    Haproxy,
    Caddy,
    Envoy,
}

fn seconds(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.05..=60.0).contains(&value) { Ok(value) } else { Err("0.05 to 60".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Result<Options, clap::Error> {
        let all = ["bench", "compare"].iter().chain(arguments);
        Arguments::try_parse_from(all).map(|parsed| match parsed.command {
            Command::Compare(options) => options,
            other => unreachable!("compare was given, not {other:?}"),
        })
    }

    #[test]
    fn every_number_is_bounded() {
        for wrong in [
            ["--rounds", "0"],
            ["--rounds", "101"],
            ["--seconds", "0.01"],
            ["--seconds", "61"],
            ["--seconds", "NaN"],
            ["--connections", "0"],
            ["--connections", "49"],
            ["--idle", "15"],
            ["--idle", "4001"],
        ] {
            assert!(options(&wrong).is_err(), "{wrong:?}");
        }
        for right in [["--rounds", "100"], ["--seconds", "0.05"], ["--connections", "48"], ["--idle", "4000"]]
        {
            assert!(options(&right).is_ok(), "{right:?}");
        }
    }

    #[test]
    fn modes_are_named_as_they_are_reported() {
        for mode in Mode::value_variants() {
            let shown = mode.to_possible_value().map(|value| value.get_name().to_owned());
            assert_eq!(shown.as_deref(), Some(mode.name()));
            assert_eq!(serde_json::json!(mode), mode.name());
        }
        let some = options(&["--only", "idle,handshake"]).map(|options| options.modes());
        assert_eq!(some.ok(), Some(vec![Mode::Handshake, Mode::Idle]));
    }
}
