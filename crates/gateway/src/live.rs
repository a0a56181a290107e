//! The open connections, by certificate, key and party: a change of policy decides again about those it touches.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use examiner::{KeyPin, Thumbprint, UnixTime};
use http::Uri;
use policy::record::Touched;
use policy::{Decision, HostName, Peer};
use tokio::sync::{Notify, oneshot};

use crate::admit::{self, Current};
use crate::identify;

/// Connections decided again before others get a turn.
const SLICE: usize = 256;

/// All open connections; one part a core.
pub(crate) struct Live {
    parts: Box<[Mutex<Part>]>,
    next: AtomicU64,
}

#[derive(Default)]
struct Part {
    all: HashMap<u64, Arc<Connection>>,
    by_certificate: HashMap<Thumbprint, HashSet<u64>>,
    by_key: HashMap<KeyPin, HashSet<u64>>,
    by_party: HashMap<String, HashSet<u64>>,
    /// When which connection's admission ends by itself.
    ends: BTreeSet<(UnixTime, u64)>,
}

/// One open connection, as those see it who may end it.
pub(crate) struct Connection {
    id: u64,
    part: usize,
    site: HostName,
    /// Refusals are told in the handshake: without admission the whole connection ends.
    strict: bool,
    state: Mutex<State>,
    cut: AtomicU8,
    wake: Notify,
}

struct State {
    peer: Option<Arc<Peer>>,
    parties: Vec<String>,
    until: Option<UnixTime>,
    next: u64,
    running: Vec<Running>,
}

/// A request that was let through and whose answer is not complete.
struct Running {
    id: u64,
    uri: Uri,
    party: Option<Arc<str>>,
    cancel: Option<oneshot::Sender<()>>,
}

/// What was cut of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Running exchanges.
    Exchanges,
    /// All of it.
    Everything,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    pub(crate) fn new(parts: usize) -> Self {
        Self { parts: (0..parts.max(1)).map(|_| Mutex::default()).collect(), next: AtomicU64::new(1) }
    }

    pub(crate) fn add(
        &self,
        part: usize,
        site: HostName,
        peer: Option<Arc<Peer>>,
        strict: bool,
    ) -> Arc<Connection> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let state =
            State { peer: peer.clone(), parties: Vec::new(), until: None, next: 0, running: Vec::new() };
        let connection = Arc::new(Connection {
            id,
            part,
            site,
            strict,
            state: Mutex::new(state),
            cut: AtomicU8::new(0),
            wake: Notify::new(),
        });
        let mut part = lock(&self.parts[part]);
        if let Some(peer) = peer {
            part.by_certificate.entry(peer.thumbprint).or_default().insert(id);
            if let Ok(certificate) = &peer.certificate {
                part.by_key.entry(certificate.key_pin).or_default().insert(id);
            }
        }
        part.all.insert(id, connection.clone());
        connection
    }

    pub(crate) fn remove(&self, connection: &Connection) {
        let mut part = lock(&self.parts[connection.part]);
        let state = lock(&connection.state);
        part.all.remove(&connection.id);
        if let Some(peer) = &state.peer {
            forget(&mut part.by_certificate, &peer.thumbprint, connection.id);
            if let Ok(certificate) = &peer.certificate {
                forget(&mut part.by_key, &certificate.key_pin, connection.id);
            }
        }
        for party in &state.parties {
            forget(&mut part.by_party, party, connection.id);
        }
        if let Some(until) = state.until {
            part.ends.remove(&(until, connection.id));
        }
    }

    /// Notes that a request was let through; what comes back resolves when it loses admission.
    pub(crate) fn begin(
        &self,
        connection: &Connection,
        uri: Uri,
        party: Option<Arc<str>>,
        until: Option<UnixTime>,
    ) -> (u64, oneshot::Receiver<()>) {
        let (cancel, cancelled) = oneshot::channel();
        let id = {
            let mut state = lock(&connection.state);
            let id = state.next;
            state.next += 1;
            state.running.push(Running { id, uri, party: party.clone(), cancel: Some(cancel) });
            let new_party =
                party.as_deref().is_some_and(|party| !state.parties.iter().any(|known| known == party));
            if !new_party && (until.is_none() || state.until == until) {
                return (id, cancelled);
            }
            id
        };
        self.note(connection, party.as_deref(), until);
        (id, cancelled)
    }

    /// Notes whom the connection belongs to, and when that admission ends by itself.
    pub(crate) fn note(&self, connection: &Connection, party: Option<&str>, until: Option<UnixTime>) {
        let mut part = lock(&self.parts[connection.part]);
        let mut state = lock(&connection.state);
        if let Some(party) = party.filter(|party| !state.parties.iter().any(|known| known == party)) {
            state.parties.push(party.to_owned());
            part.by_party.entry(party.to_owned()).or_default().insert(connection.id);
        }
        if until.is_some() && state.until != until {
            if let Some(old) = state.until {
                part.ends.remove(&(old, connection.id));
            }
            state.until = until;
            part.ends.extend(until.map(|until| (until, connection.id)));
        }
    }

    /// Decides again about the connections that the change touches; how many were cut.
    pub(crate) fn decide_again(&self, touched: &[Touched], current: &Current, now: UnixTime) -> u64 {
        let mut cut = 0;
        for part in &self.parts {
            let concerned = lock(part).concerned(touched);
            for slice in concerned.chunks(SLICE) {
                cut += slice.iter().filter(|connection| connection.decide_again(current, now)).count() as u64;
                std::thread::yield_now();
            }
        }
        cut
    }

    /// Decides again about the connections of this core whose admission has ended by itself.
    pub(crate) fn expire(&self, part: usize, current: &Current, now: UnixTime) {
        let mut ended = Vec::new();
        {
            let mut part = lock(&self.parts[part]);
            while let Some(&(until, id)) = part.ends.first() {
                if until >= now {
                    break;
                }
                part.ends.pop_first();
                ended.extend(part.all.get(&id).cloned());
            }
        }
        for connection in ended {
            lock(&connection.state).until = None;
            connection.decide_again(current, now);
        }
    }

    /// Ends all connections: at once, or when their running requests are answered.
    pub(crate) fn end_all(&self, at_once: bool) {
        for part in &self.parts {
            for connection in lock(part).all.values() {
                if at_once {
                    connection.end(Cut::Everything);
                } else {
                    connection.wake();
                }
            }
        }
    }
}

impl Part {
    fn concerned(&self, touched: &[Touched]) -> Vec<Arc<Connection>> {
        if touched.contains(&Touched::Everyone) {
            return self.all.values().cloned().collect();
        }
        let mut ids = HashSet::new();
        for one in touched {
            let found = match one {
                Touched::Certificate(thumbprint) => self.by_certificate.get(thumbprint),
                Touched::Key(pin) => self.by_key.get(pin),
                Touched::Party(name) => self.by_party.get(name.as_str()),
                Touched::Everyone => None,
            };
            ids.extend(found.into_iter().flatten());
        }
        ids.iter().filter_map(|id| self.all.get(id).cloned()).collect()
    }
}

fn forget<K: Hash + Eq>(index: &mut HashMap<K, HashSet<u64>>, key: &K, id: u64) {
    if let Some(all) = index.get_mut(key) {
        all.remove(&id);
        if all.is_empty() {
            index.remove(key);
        }
    }
}

impl Connection {
    /// The exchange is over.
    pub(crate) fn finish(&self, id: u64) {
        lock(&self.state).running.retain(|running| running.id != id);
    }

    /// Nothing is asked for a while: gives back the room for exchanges.
    pub(crate) fn rest(&self) {
        lock(&self.state).running.shrink_to_fit();
    }

    /// Whether exchanges that were cut are not gone yet.
    pub(crate) fn has_cancelled(&self) -> bool {
        lock(&self.state).running.iter().any(|running| running.cancel.is_none())
    }

    /// Resolves when something was cut (or when the gate drains): `None` in the latter case.
    pub(crate) async fn cut(&self) -> Option<Cut> {
        self.wake.notified().await;
        match self.cut.load(Ordering::SeqCst) {
            0 => None,
            1 => Some(Cut::Exchanges),
            _ => Some(Cut::Everything),
        }
    }

    /// Has [`Connection::cut`] resolve: the gate drains.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    fn end(&self, cut: Cut) {
        self.cut.fetch_max(if cut == Cut::Everything { 2 } else { 1 }, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// Cuts what is not admitted now; whether anything was.
    pub(crate) fn decide_again(&self, current: &Current, now: UnixTime) -> bool {
        let mut state = lock(&self.state);
        let Some(rules) = current.state.snapshot.site(&self.site) else {
            state.running.iter_mut().for_each(Running::cancel);
            self.end(Cut::Everything);
            return true;
        };
        if let Some(peer) = &mut state.peer {
            *peer = identify::identified_for(peer, &rules.anchors, now);
        }
        let peer = state.peer.clone();
        let moment = current.state.moment(now);
        let mut cut = false;
        // Streams of one connection mostly fall under one rule: what holds for one of them holds for all.
        let mut decided = None;
        for running in state.running.iter_mut().filter(|running| running.cancel.is_some()) {
            let Ok((rule, _)) = admit::rule_of(rules, &running.uri) else {
                running.cancel();
                cut = true;
                continue;
            };
            decided.take_if(|(known, _)| *known != rule);
            let (_, decision) = decided.get_or_insert_with(|| {
                (rule, policy::decide(&current.state.snapshot, rules, rule, peer.as_deref(), moment))
            });
            let same = |id: &str| running.party.as_deref().is_none_or(|party| party == id);
            let stays = match decision {
                Decision::Admit(grant) => same(grant.identity.id()),
                Decision::Open | Decision::Observe(_) => true,
                Decision::Refuse(_) => false,
            };
            if !stays {
                running.cancel();
                cut = true;
            }
        }
        if self.strict && admit::standing(current, rules, peer.as_deref(), now).is_err() {
            state.running.iter_mut().for_each(Running::cancel);
            self.end(Cut::Everything);
            return true;
        }
        if cut {
            self.end(Cut::Exchanges);
        }
        cut
    }
}

impl Running {
    fn cancel(&mut self) {
        if let Some(cancel) = self.cancel.take() {
            let _ = cancel.send(());
        }
    }
}
