//! How long it takes until all streams of a revoked certificate have ended, and whether those of others go on.
//!
//! The moment at which the gate puts the new snapshot in force is not told by anything, so it is bounded from the
//! outside, to the gate's disadvantage: a visitor with the revoked certificate asks again and again on a connection of
//! its own, and the snapshot cannot have been in force before its last admitted request began.

use std::process::Stdio;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::task::spawn_local;

use crate::failure::{Doing, Failure};
use crate::hall::Hall;
use crate::load::{Door, Streams, Tls, Wire};
use crate::options::ChangeOptions;
use crate::pki::{FEW, SITE};
use crate::server::{Place, Server, gate};

/// Streams on one connection: what the gate takes by default.
const A_CONNECTION: usize = 100;
/// How long everything is left alone before the revocation.
const SETTLE: Duration = Duration::from_millis(500);
/// Between two requests of the visitor that looks when the snapshot is in force.
const PAUSE: Duration = Duration::from_millis(1);

/// One round.
#[derive(Debug, Serialize)]
pub struct Revocation {
    /// Streams of the revoked certificate.
    pub revoked: usize,
    /// Streams of another, all whole afterwards.
    pub others: usize,
    /// From the last admitted request to the end of the first stream, as its visitor saw it, in milliseconds.
    pub first_ms: f64,
    /// The same to the end of the last.
    pub last_ms: f64,
    /// From the command's beginning to the end of the last stream.
    pub command_ms: f64,
}

/// Revokes the certificate of a visitor; each round another one's.
pub async fn measure(
    options: &ChangeOptions,
    hall: &Hall,
    server: &Server,
    place: &Place,
    round: u32,
) -> Result<Revocation, Failure> {
    // The last of them are the others, who never lose admission.
    let number = round as usize % (FEW - 1);
    let name = format!("revoked-{number}");
    std::fs::write(place.dir.join("revoked.pem"), hall.pki.certificate_pem(number)?)
        .doing("a certificate")?;
    if round as usize == number {
        gate::run(place, &["party", "add", &name, "--site", SITE, "--cert", "revoked.pem", "--pin", "cert"])?;
    }
    let streams = usize::from(options.streams);
    let door = Rc::new(server.door_for(&hall.pki, &hall.pki.only(number))?);
    let other_door = Rc::new(server.door_for(&hall.pki, &hall.pki.only(FEW - 1))?);
    let mut concerned = Streams::open(&door, streams, A_CONNECTION).await?;
    let mut others = Streams::open(&other_door, streams, A_CONNECTION).await?;
    let looking = spawn_local(last_admitted(door));
    tokio::time::sleep(SETTLE).await;
    if concerned.has_lost_one() || others.has_lost_one() {
        return Err(Failure::new("a stream ended before anything changed"));
    }
    let mut command = gate::command(place, &["party", "revoke", &name, "--reason", "certificate-hold"]);
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let began = Instant::now();
    let command = command.spawn().doing("the revocation")?;
    let ends = concerned.ends().await?;
    let snapshot = looking.await.doing("a visitor")??;
    let output = command.wait_with_output().doing("the revocation")?;
    if !output.status.success() {
        return Err(Failure::new(format!("party revoke: {}", String::from_utf8_lossy(&output.stderr))));
    }
    if ends.iter().any(|end| end.is_whole) {
        return Err(Failure::new("a stream of the revoked certificate was not cut"));
    }
    if others.has_lost_one() {
        return Err(Failure::new("a stream of another certificate ended with them"));
    }
    hall.release()?;
    let whole = others.ends().await?.iter().filter(|end| end.is_whole).count();
    if whole != streams || ends.len() != streams {
        return Err(Failure::new(format!("{whole} of {streams} streams of another certificate are whole")));
    }
    // For the next round with it.
    gate::run(place, &["party", "resume", &name, "--held"])?;
    let first = ends.iter().map(|end| end.at).min().unwrap_or(began);
    let last = ends.iter().map(|end| end.at).max().unwrap_or(began);
    let millis = |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs_f64() * 1e3;
    Ok(Revocation {
        revoked: ends.len(),
        others: whole,
        first_ms: millis(snapshot, first),
        last_ms: millis(snapshot, last),
        command_ms: millis(began, last),
    })
}

/// Asks again and again until it is refused; when the last request that was admitted began.
async fn last_admitted(door: Rc<Door>) -> Result<Instant, Failure> {
    let mut wire = Wire::over(door.connect(Tls::H1).await?);
    let mut last = None;
    loop {
        let began = Instant::now();
        // Refused in words, or with its connection.
        let Ok((200, _)) = wire.read(&door.request("/1k")).await else {
            return last.ok_or_else(|| Failure::new("who was to be revoked was not admitted before"));
        };
        last = Some(began);
        tokio::time::sleep(PAUSE).await;
    }
}
