//! The visitors: TLS 1.3 on rustls, one certificate after the other, no resumption.
//!
//! A load is closed: each of so many visitors starts anew when its answer is whole. What is under way at the end
//! is finished and counted, so nothing is cut off.

mod door;
mod streams;
mod wire;

use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, spawn_local};

pub use door::{Door, Tls, provider};
pub use streams::Streams;
pub use wire::Wire;

use crate::failure::{Doing, Failure};
use crate::options::Mode;

/// Longest that any single step may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// When the visitors stop. What is under way then is finished and counted.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// At that moment, and not before each has done one unit.
    Moment(Instant),
    /// After so many units of each visitor.
    Units(usize),
}

impl Until {
    /// In so many seconds.
    pub fn seconds(seconds: f64) -> Self {
        Self::Moment(Instant::now() + Duration::from_secs_f64(seconds))
    }

    fn has_come(self, done: usize) -> bool {
        match self {
            Self::Moment(end) => done > 0 && Instant::now() >= end,
            Self::Units(units) => done >= units,
        }
    }
}

/// What the visitors saw.
#[derive(Debug, Default)]
pub struct Tally {
    /// How long each unit took, in microseconds; one entry for each.
    pub latencies: Vec<f64>,
    /// From the first start to the last end.
    pub seconds: f64,
}

/// Visitors at a server's door, connected where the mode wants it, and ready to start.
pub struct Crowd {
    mode: Mode,
    door: Rc<Door>,
    wires: Vec<Wire>,
    senders: Vec<wire::H2Sender>,
    visitors: usize,
}

impl Crowd {
    /// Connects what the mode keeps open, and does one unit with each visitor before anything is counted.
    pub async fn gather(mode: Mode, door: &Rc<Door>, connections: usize) -> Result<Self, Failure> {
        let visitors = match mode {
            Mode::Body1m => connections.min(4),
            Mode::Body100m => connections.min(2),
            _ => connections,
        };
        let mut crowd = Self { mode, door: door.clone(), wires: Vec::new(), senders: Vec::new(), visitors };
        match mode {
            Mode::Handshake | Mode::HandshakeNew | Mode::Connection => {
                for _ in 0..visitors.max(crate::pki::FEW) {
                    once(mode, door).await?;
                }
            }
            Mode::KeepaliveH2 => {
                // Four streams a connection.
                for _ in 0..visitors.div_ceil(4) {
                    let sender = wire::h2(door.connect(Tls::H2).await?).await?;
                    crowd.senders.push(sender);
                }
                for sender in &mut crowd.senders {
                    wire::get_h2(sender, door.url("/1k"), 1024).await?;
                }
            }
            Mode::KeepaliveH1 | Mode::Body1m | Mode::Body100m | Mode::Idle => {
                for _ in 0..visitors {
                    let mut wire = Wire::over(door.connect(Tls::H1).await?);
                    wire.get(&door.request("/1k"), 1024).await?;
                    crowd.wires.push(wire);
                }
            }
        }
        Ok(crowd)
    }

    /// Works until then.
    pub async fn work(self, end: Until) -> Result<Tally, Failure> {
        let began = Instant::now();
        let mut all = JoinSet::new();
        let Self { mode, door, wires, senders, visitors } = self;
        let (path, length) = match mode {
            Mode::Body1m => ("/1m", 1 << 20),
            Mode::Body100m => ("/100m", 100 << 20),
            _ => ("/1k", 1024),
        };
        match mode {
            Mode::Handshake | Mode::HandshakeNew | Mode::Connection => {
                for _ in 0..visitors {
                    let door = door.clone();
                    all.spawn_local(repeat(end, (), async move |()| once(mode, &door).await));
                }
            }
            Mode::KeepaliveH2 => {
                for number in 0..visitors {
                    let (sender, url) = (senders[number % senders.len()].clone(), door.url(path));
                    all.spawn_local(repeat(end, sender, async move |sender| {
                        wire::get_h2(sender, url.clone(), length).await
                    }));
                }
            }
            Mode::KeepaliveH1 | Mode::Body1m | Mode::Body100m | Mode::Idle => {
                for wire in wires {
                    let request = door.request(path);
                    all.spawn_local(repeat(end, wire, async move |wire| wire.get(&request, length).await));
                }
            }
        }
        let mut tally = Tally::default();
        while let Some(done) = all.join_next().await {
            tally.latencies.extend(done.doing("a visitor")??);
        }
        tally.seconds = began.elapsed().as_secs_f64();
        Ok(tally)
    }
}

/// Opens `count` connections with one request each and holds them all.
pub async fn hold(door: &Rc<Door>, count: usize, at_once: usize) -> Result<Vec<Wire>, Failure> {
    let mut held = Vec::with_capacity(count);
    while held.len() < count {
        let mut all = JoinSet::new();
        for _ in 0..at_once.min(count - held.len()) {
            let door = door.clone();
            all.spawn_local(async move {
                let mut wire = Wire::over(door.connect(Tls::H1).await?);
                wire.get(&door.request("/1k"), 1024).await.map(|()| wire)
            });
        }
        while let Some(done) = all.join_next().await {
            held.push(done.doing("a visitor")??);
        }
    }
    Ok(held)
}

/// A connection from its beginning to its end.
async fn once(mode: Mode, door: &Door) -> Result<(), Failure> {
    let tls = if mode == Mode::HandshakeNew { Tls::New } else { Tls::H1 };
    let mut wire = Wire::over(door.connect(tls).await?);
    if mode == Mode::Connection {
        wire.get(&door.request("/1k"), 1024).await?;
    }
    wire.close().await
}

/// Does the same until `end`; how long each took.
async fn repeat<S>(
    end: Until,
    mut state: S,
    mut unit: impl AsyncFnMut(&mut S) -> Result<(), Failure>,
) -> Result<Vec<f64>, Failure> {
    let mut latencies = Vec::new();
    while !end.has_come(latencies.len()) {
        let began = Instant::now();
        unit(&mut state).await?;
        latencies.push(began.elapsed().as_secs_f64() * 1e6);
    }
    Ok(latencies)
}

/// `step`, or what took too long.
async fn within<T>(what: &str, step: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    match tokio::time::timeout(PATIENCE, step).await {
        Ok(done) => done,
        Err(_) => Err(Failure::new(format!("{what} took longer than {PATIENCE:?}"))),
    }
}

/// Drives a connection beside the requests on it.
fn beside(work: impl Future<Output = ()> + 'static) {
    spawn_local(work);
}
