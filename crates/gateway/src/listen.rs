//! Accept, under limits: connections, handshakes at once, half-open ones per address, strangers.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use examiner::UnixTime;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;

use crate::gate::Shared;
use crate::handshake::handshake;
use crate::live::Live;
use crate::manners::prefix;
use crate::proxy;
use crate::serve;
use crate::settings::Limits;
use crate::upstream::pool::Pool;

/// Which address a connection came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// One of the sites', by server name.
    Sites,
    /// The admin address.
    Admin,
    /// The enrolment address.
    Enrol,
}

/// What one core works with.
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) pool: Pool,
    /// The connections that are open here.
    pub(crate) live: Live,
}

/// Accepts until the gate drains; what stands in the socket's queue then is still taken.
pub(crate) async fn accept(worker: Rc<Worker>, listener: TcpListener, door: Door) {
    let mut phase = worker.shared.life.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = phase.wait_for(|phase| !phase.accepts()) => return empty(&worker, listener, door),
        };
        match accepted {
            Ok((tcp, from)) => arrive(&worker, tcp, from, door),
            Err(error) => {
                // Out of descriptors, most likely: wait for some to come back.
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Takes everybody out of the queue of a socket that takes no more.
fn empty(worker: &Rc<Worker>, listener: TcpListener, door: Door) {
    // The runtime only says when somebody may be there; the socket itself says when nobody is.
    match listener.into_std() {
        Ok(listener) => {
            while let Ok((tcp, from)) = listener.accept() {
                match tcp.set_nonblocking(true).and_then(|()| TcpStream::from_std(tcp)) {
                    Ok(tcp) => arrive(worker, tcp, from, door),
                    Err(error) => tracing::warn!(%error, "a connection of the queue is lost"),
                }
            }
        }
        Err(error) => tracing::warn!(%error, "the queue of a socket is lost"),
    }
    worker.shared.crowd.accepting.fetch_sub(1, Ordering::SeqCst);
}

fn arrive(worker: &Rc<Worker>, tcp: TcpStream, from: SocketAddr, door: Door) {
    let address = from.ip().to_canonical();
    let announced = door != Door::Admin && worker.shared.front.proxy_protocol.contains(address);
    // Whoever speaks for others has no share of its own: those whom it announces have theirs.
    match Seat::take(&worker.shared.crowd, (!announced).then_some(address)) {
        Ok(seat) => {
            let from = SocketAddr::new(address, from.port());
            spawn_local(meet(worker.clone(), tcp, from, Manner { door, announced }, seat));
        }
        Err(full) => worker.shared.observer.metrics.turned_away(full),
    }
}

/// What is special about a connection.
#[derive(Clone, Copy)]
struct Manner {
    /// Where it came in.
    door: Door,
    /// It begins with a PROXY header.
    announced: bool,
}

async fn meet(worker: Rc<Worker>, mut tcp: TcpStream, from: SocketAddr, manner: Manner, mut seat: Seat) {
    let _ = tcp.set_nodelay(true);
    let began = Instant::now();
    let mut phase = worker.shared.life.subscribe();
    let drained = async {
        // Whoever has not come far when the gate drains may finish, and does not hold it up.
        let _ = phase.wait_for(|phase| phase.hurries()).await;
        tokio::time::sleep(serve::LAST_WAIT).await;
    };
    // On the heap, as what follows: a task is as large as all it may ever hold, and stays so while it idles.
    let arrive = Box::pin(async {
        let to = tcp.local_addr().unwrap_or(from);
        let ends = if manner.announced {
            announced(&worker, &mut tcp, (from, to), &mut seat).await?
        } else {
            (from, to)
        };
        handshake(&worker.shared, tcp, ends, manner.door).await
    });
    let limit = Box::pin(first_of(tokio::time::sleep(worker.shared.limits.handshake), drained));
    let arrival = tokio::select! {
        arrival = arrive => arrival,
        () = limit => {
            let taken = began.elapsed();
            worker.shared.observer.metrics.handshake("", "none", "timeout", taken);
            None
        }
    };
    seat.shaken();
    if let Some(arrival) = arrival {
        Box::pin(serve::serve(worker, arrival, manner.door, seat)).await;
    }
}

/// Who is announced by the PROXY header; a connection without one, or beyond the announced address' share, ends.
async fn announced(
    worker: &Worker,
    tcp: &mut TcpStream,
    (from, to): (SocketAddr, SocketAddr),
    seat: &mut Seat,
) -> Option<(SocketAddr, SocketAddr)> {
    match proxy::read(tcp).await {
        Ok(ends) => {
            let (from, to) = ends.unwrap_or((from, to));
            let from = SocketAddr::new(from.ip().to_canonical(), from.port());
            if let Err(full) = seat.is_from(from.ip()) {
                worker.shared.observer.metrics.turned_away(full);
                return None;
            }
            Some((from, to))
        }
        Err(error) => {
            worker.shared.observer.metrics.handshake("", "none", "no-proxy-header", Duration::ZERO);
            tracing::debug!(%error, %from, "refused");
            None
        }
    }
}

async fn first_of(one: impl Future<Output = ()>, other: impl Future<Output = ()>) {
    tokio::select! {
        () = one => {}
        () = other => {}
    }
}

/// Who is here, and how many more may come.
pub(crate) struct Crowd {
    slots: usize,
    handshakes: usize,
    per_address: usize,
    stranger_slots: usize,
    strangers_per_minute: u32,
    /// Listeners that still accept.
    pub(crate) accepting: AtomicUsize,
    taken: AtomicUsize,
    shaking: AtomicUsize,
    strangers: AtomicUsize,
    half_open: Mutex<HashMap<IpAddr, usize>>,
    recent: Mutex<HashMap<IpAddr, (UnixTime, u32)>>,
}

/// Source prefixes remembered at once.
const PREFIXES: usize = 65_536;

impl Crowd {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            slots: limits.slots,
            handshakes: limits.handshakes,
            per_address: limits.half_open_per_address,
            stranger_slots: (limits.slots * limits.stranger_share_percent as usize / 100).max(1),
            strangers_per_minute: limits.strangers_per_minute,
            accepting: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
            shaking: AtomicUsize::new(0),
            strangers: AtomicUsize::new(0),
            half_open: Mutex::default(),
            recent: Mutex::default(),
        }
    }

    /// Whether nobody is here and nobody can come: connections and the queues of the sockets.
    pub(crate) fn is_gone(&self) -> bool {
        // In this order: who leaves the queue takes a seat before the listener is done.
        self.accepting.load(Ordering::SeqCst) == 0 && self.taken.load(Ordering::SeqCst) == 0
    }

    /// Whether one more connection without an admitted party may come from there.
    pub(crate) fn has_room(&self, from: IpAddr, now: UnixTime) -> bool {
        if self.strangers.load(Ordering::Relaxed) >= self.stranger_slots {
            return false;
        }
        match lock(&self.recent).get(&prefix(from)) {
            Some((since, count)) if now.seconds() - since.seconds() < 60 => {
                *count < self.strangers_per_minute
            }
            _ => true,
        }
    }

    /// A connection without an admitted party has come.
    fn stranger(&self, from: IpAddr, now: UnixTime) {
        self.strangers.fetch_add(1, Ordering::Relaxed);
        let mut recent = lock(&self.recent);
        if recent.len() >= PREFIXES {
            recent.retain(|_, (since, _)| now.seconds() - since.seconds() < 60);
        }
        let entry = recent.entry(prefix(from)).or_insert((now, 0));
        if now.seconds() - entry.0.seconds() >= 60 {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
    }
}

/// The limit that leaves no place for one more connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// Connections at once.
    Connections,
    /// Handshakes at once.
    Handshakes,
    /// Handshakes at once from its address.
    HalfOpen,
}

impl Full {
    pub(crate) const ALL: [Self; 3] = [Self::Connections, Self::Handshakes, Self::HalfOpen];

    /// As the configuration names it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Handshakes => "concurrent_handshakes",
            Self::HalfOpen => "half_open_per_address",
        }
    }
}

/// A connection's place among the limits; given back when dropped.
pub(crate) struct Seat {
    crowd: Arc<Crowd>,
    /// The address whose share it takes, once that is known.
    from: Option<IpAddr>,
    shaking: bool,
    stranger: bool,
}

impl Seat {
    pub(crate) fn take(crowd: &Arc<Crowd>, from: Option<IpAddr>) -> Result<Self, Full> {
        if !raise(&crowd.taken, crowd.slots) {
            return Err(Full::Connections);
        }
        if !raise(&crowd.shaking, crowd.handshakes) {
            crowd.taken.fetch_sub(1, Ordering::Relaxed);
            return Err(Full::Handshakes);
        }
        let mut seat = Self { crowd: crowd.clone(), from: None, shaking: true, stranger: false };
        from.map_or(Ok(()), |from| seat.is_from(from)).map(|()| seat)
    }

    /// Takes of this address' share, where any is left.
    fn is_from(&mut self, from: IpAddr) -> Result<(), Full> {
        self.from = Some(from);
        let mut half_open = lock(&self.crowd.half_open);
        let count = half_open.entry(from).or_insert(0);
        *count += 1;
        if *count <= self.crowd.per_address { Ok(()) } else { Err(Full::HalfOpen) }
    }

    /// The handshake is over.
    fn shaken(&mut self) {
        if std::mem::take(&mut self.shaking) {
            self.crowd.shaking.fetch_sub(1, Ordering::Relaxed);
            if let Some(from) = &self.from {
                lower(&mut lock(&self.crowd.half_open), from);
            }
        }
    }

    /// It is a connection without an admitted party.
    pub(crate) fn stranger(&mut self, now: UnixTime) {
        if !std::mem::replace(&mut self.stranger, true) {
            self.crowd.stranger(self.from.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)), now);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shaken();
        self.crowd.taken.fetch_sub(1, Ordering::Relaxed);
        if self.stranger {
            self.crowd.strangers.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn raise(count: &AtomicUsize, most: usize) -> bool {
    let more = |now| (now < most).then_some(now + 1);
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
}

fn lower<K: Eq + Hash>(all: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = all.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            all.remove(key);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
