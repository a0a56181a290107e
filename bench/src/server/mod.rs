//! The gate and its peers, each configured for the same work: mutual TLS 1.3 required, ECDSA P-256, no resumption,
//! the client certificate in a header, kept connections to the upstream, an access log in a file, one worker.
//!
//! What is not needed for that stays at each server's defaults.

mod caddy;
mod envoy;
pub mod gate;
mod haproxy;
mod nginx;
pub mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use rustix::process::{Pid, Signal, kill_process};

use crate::cores::Cores;
use crate::cost::{self, Memory};
use crate::failure::{Doing, Failure};
use crate::load::{Door, Tls, Wire};
use crate::options::Peer;
use crate::pki::{Files, Pki, Visitors};
use crate::upstream::wait_for_port;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Gate,
    Nginx,
    Haproxy,
    Caddy,
    Envoy,
}

impl Kind {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Caddy => "caddy",
            Self::Envoy => "envoy",
        }
    }

    /// All but the gate.
    pub const PEERS: [Self; 4] = [Self::Nginx, Self::Haproxy, Self::Caddy, Self::Envoy];

    /// Whether a choice on the command line means it.
    pub fn is(self, peer: Peer) -> bool {
        matches!(
            (self, peer),
            (Self::Nginx, Peer::Nginx)
                | (Self::Haproxy, Peer::Haproxy)
                | (Self::Caddy, Peer::Caddy)
                | (Self::Envoy, Peer::Envoy)
        )
    }

    /// Where its program is; `None` where it is not installed.
    pub fn find(self) -> Option<PathBuf> {
        match self {
            Self::Gate => program::beside("countersign"),
            Self::Nginx => program::installed("nginx"),
            Self::Haproxy => program::installed("haproxy"),
            Self::Caddy => program::fetched("bin", "caddy").or_else(|| program::installed("caddy")),
            Self::Envoy => program::fetched("envoy/_bin", "envoy").or_else(|| program::installed("envoy")),
        }
    }

    /// Its version and its TLS library's, as it tells them.
    pub fn version(self, program: &Path) -> Result<String, Failure> {
        match self {
            Self::Gate => gate::version(program),
            Self::Nginx => nginx::version(program),
            Self::Haproxy => haproxy::version(program),
            Self::Caddy => caddy::version(program),
            Self::Envoy => envoy::version(program),
        }
    }

    /// Writes its configuration; the command that runs it.
    fn prepare(self, place: &Place) -> Result<Command, Failure> {
        match self {
            Self::Gate => gate::prepare(place),
            Self::Nginx => nginx::prepare(place),
            Self::Haproxy => haproxy::prepare(place),
            Self::Caddy => caddy::prepare(place),
            Self::Envoy => envoy::prepare(place),
        }
    }
}

/// What a configuration is made from.
#[derive(Debug)]
pub struct Place {
    /// The program.
    pub program: PathBuf,
    /// What the gate runs under, with its arguments; normally nothing.
    pub under: Vec<String>,
    /// A directory of its own.
    pub dir: PathBuf,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    /// Where the upstream listens, on 127.0.0.1.
    pub upstream: u16,
    /// Certificates and keys.
    pub files: Files,
    /// Other parties on the gate's record, and how many of them have a subject rule.
    pub others: [u32; 2],
}

impl Place {
    /// Writes a file of the configuration.
    fn write(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.dir.join(name);
        fs::write(&path, text).doing(name)?;
        Ok(path)
    }
}

/// A running server; ended when dropped.
pub struct Server {
    /// Which.
    pub kind: Kind,
    /// Its directory.
    pub dir: PathBuf,
    port: u16,
    child: Child,
}

impl Server {
    /// Configures and starts it, and waits until it accepts.
    pub fn start(kind: Kind, place: &Place, cores: &Cores) -> Result<Self, Failure> {
        let mut command = kind.prepare(place)?;
        let said = |name: &str| fs::File::create(place.dir.join(name)).doing(name);
        command.current_dir(&place.dir).stdin(Stdio::null());
        command.stdout(said(STDOUT)?).stderr(said(STDERR)?);
        let child = cores.start_server(&mut command)?;
        let mut server = Self { kind, dir: place.dir.clone(), port: place.port, child };
        // What runs under another program is slow.
        let patience = if place.under.is_empty() { 20 } else { 600 };
        wait_for_port(server.port, &mut server.child, Duration::from_secs(patience))
            .map_err(|why| server.blame(&why))?;
        Ok(server)
    }

    /// A way in for visitors, whose certificates begin anew.
    pub fn door(&self, pki: &Pki) -> Result<Door, Failure> {
        Door::new(self.port, pki)
    }

    /// A way in for these visitors alone.
    pub fn door_for(&self, pki: &Pki, visitors: &Visitors) -> Result<Door, Failure> {
        Door::showing(self.port, pki, visitors)
    }

    /// Processor time used so far, in microseconds.
    pub fn processor_time(&self) -> Result<f64, Failure> {
        cost::processor_time(self.child.id())
    }

    /// Its process and all below it.
    pub fn family(&self) -> Vec<u32> {
        cost::family(self.child.id())
    }

    /// Memory in use.
    pub fn memory(&self) -> Result<Memory, Failure> {
        cost::memory(self.child.id())
    }

    /// Proves that it does the work: the upstream is told the very certificate that was shown.
    pub async fn prove(&self, pki: &Pki) -> Result<(), Failure> {
        let door = self.door(pki)?;
        let mut wire = Wire::over(door.connect(Tls::H1).await.map_err(|why| self.blame(&why))?);
        let (status, told) = wire.read(&door.request("/identity")).await.map_err(|why| self.blame(&why))?;
        let shown = pki.few.first().and_then(|visitor| visitor.end_entity_cert().ok().cloned());
        let shown = BASE64.encode(&shown.ok_or_else(|| Failure::new("no visitor"))?);
        if status != 200 || !plain(&told).contains(&shown) {
            let why = format!("the upstream was not told who came: {status} {told}");
            return Err(self.blame(&Failure::new(why)));
        }
        wire.close().await.map_err(|why| self.blame(&why))
    }

    /// The failure with the server's name and its last words.
    pub fn blame(&self, why: &Failure) -> Failure {
        let said = |name| fs::read_to_string(self.dir.join(name)).unwrap_or_default();
        let words = said(STDERR);
        let last: Vec<&str> = words.lines().rev().take(8).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        Failure::new(format!("{}: {why}\n{}", self.kind.name(), last.join("\n")))
    }
}

const STDOUT: &str = "stdout.log";
const STDERR: &str = "stderr.log";

impl Drop for Server {
    fn drop(&mut self) {
        let family = cost::family(self.child.id());
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let end = Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > end {
                // Its children would outlive it; they are still below it, so their ids are nobody else's.
                for pid in family.into_iter().skip(1).filter_map(|pid| Pid::from_raw(pid as i32)) {
                    let _ = kill_process(pid, Signal::KILL);
                }
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The header's certificate without the dialect's dress: percent signs, line ends.
fn plain(told: &str) -> String {
    let text = percent_encoding::percent_decode_str(told).decode_utf8_lossy();
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_found_in_every_dialect() {
        assert!(plain(":MIIB+/8=:").contains("MIIB+/8="));
        assert!(plain("-----BEGIN%20CERTIFICATE-----%0AMIIB%0A%2B%2F8%3D%0A").contains("MIIB+/8="));
        assert!(plain("Cert=\"-----BEGIN%20CERTIFICATE-----%0AMIIB+/%0A8%3D\"").contains("MIIB+/8="));
    }
}
