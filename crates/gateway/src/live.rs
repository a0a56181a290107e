//! The open connections of one core, by certificate, key and party: a change of policy decides again about those it
//! touches.
//!
//! Each core has its own, and no other thread sees them: a change comes as an [`Order`], which a core carries out between
//! two steps of its connections. So what a request notes here takes no lock, and what was decided and noted in one step
//! under the state before is found by the order that follows the new one.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};

use examiner::{KeyPin, Thumbprint, UnixTime};
use http::Uri;
use policy::record::Touched;
use policy::{Decision, HostName, Peer};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::admit::{self, Current};
use crate::identify;

/// Connections decided again before others get a turn.
const SLICE: usize = 256;

/// All open connections of a core.
#[derive(Default)]
pub(crate) struct Live {
    all: RefCell<All>,
    next: Cell<u64>,
}

#[derive(Default)]
struct All {
    by_id: HashMap<u64, Rc<Connection>>,
    by_certificate: HashMap<Thumbprint, HashSet<u64>>,
    by_key: HashMap<KeyPin, HashSet<u64>>,
    by_party: HashMap<String, HashSet<u64>>,
    /// When which connection's admission ends by itself.
    ends: BTreeSet<(UnixTime, u64)>,
}

/// What every core is told to do with its connections.
pub(crate) enum Order {
    /// Decide again about those that a change touches, and say how many were cut. Dropped unanswered, there are none.
    DecideAgain(Arc<Change>, mpsc::Sender<u64>),
    /// End each when its running requests are answered.
    WindDown,
    /// End each at once.
    EndAll,
}

/// What another state that came into force is about.
pub(crate) struct Change {
    pub(crate) touched: Vec<Touched>,
    pub(crate) now: UnixTime,
}

/// One open connection, as those see it who may end it.
pub(crate) struct Connection {
    id: u64,
    site: HostName,
    /// Refusals are told in the handshake: without admission the whole connection ends.
    strict: bool,
    state: RefCell<State>,
    cut: Cell<Option<Cut>>,
    wake: Notify,
}

struct State {
    peer: Option<Arc<Peer>>,
    parties: Vec<String>,
    until: Option<UnixTime>,
    next: u64,
    running: Vec<Running>,
    /// No answer is late before then.
    due: Option<Instant>,
    /// Who drives the connection.
    driver: Option<Waker>,
}

/// A request that was let through and whose answer is not complete.
struct Running {
    id: u64,
    uri: Uri,
    party: Option<Arc<str>>,
    is_cancelled: bool,
    /// Until when its answer has to begin, where that is said.
    due: Option<Instant>,
    is_late: bool,
    /// Who waits for either.
    waker: Option<Waker>,
}

/// What was cut of a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cut {
    /// Running exchanges.
    Exchanges,
    /// All of it.
    Everything,
}

impl Live {
    pub(crate) fn add(&self, site: HostName, peer: Option<Arc<Peer>>, strict: bool) -> Rc<Connection> {
        let id = self.next.replace(self.next.get() + 1);
        let state = State {
            peer: peer.clone(),
            parties: Vec::new(),
            until: None,
            next: 0,
            running: Vec::new(),
            due: None,
            driver: None,
        };
        let connection = Rc::new(Connection {
            id,
            site,
            strict,
            state: RefCell::new(state),
            cut: Cell::new(None),
            wake: Notify::new(),
        });
        let mut all = self.all.borrow_mut();
        if let Some(peer) = peer {
            all.by_certificate.entry(peer.thumbprint).or_default().insert(id);
            if let Ok(certificate) = &peer.certificate {
                all.by_key.entry(certificate.key_pin).or_default().insert(id);
            }
        }
        all.by_id.insert(id, connection.clone());
        connection
    }

    pub(crate) fn remove(&self, connection: &Connection) {
        let mut all = self.all.borrow_mut();
        let state = connection.state.borrow();
        all.by_id.remove(&connection.id);
        if let Some(peer) = &state.peer {
            forget(&mut all.by_certificate, &peer.thumbprint, connection.id);
            if let Ok(certificate) = &peer.certificate {
                forget(&mut all.by_key, &certificate.key_pin, connection.id);
            }
        }
        for party in &state.parties {
            forget(&mut all.by_party, party, connection.id);
        }
        if let Some(until) = state.until {
            all.ends.remove(&(until, connection.id));
        }
    }

    /// Notes that a request was let through, in the same step in which that was decided. Gives its number on this
    /// connection, and what resolves when it loses admission.
    pub(crate) fn begin(
        &self,
        connection: &Rc<Connection>,
        uri: Uri,
        party: Option<Arc<str>>,
        until: Option<UnixTime>,
    ) -> (u64, Cancelled) {
        let id = {
            let mut state = connection.state.borrow_mut();
            let id = state.next;
            state.next += 1;
            state.running.push(Running {
                id,
                uri,
                party: party.clone(),
                is_cancelled: false,
                due: None,
                is_late: false,
                waker: None,
            });
            id
        };
        self.note(connection, party.as_deref(), until);
        (id, Cancelled { connection: connection.clone(), id })
    }

    /// Notes whom the connection belongs to, and when that admission ends by itself.
    pub(crate) fn note(&self, connection: &Connection, party: Option<&str>, until: Option<UnixTime>) {
        let mut state = connection.state.borrow_mut();
        if let Some(party) = party.filter(|party| !state.parties.iter().any(|known| known == party)) {
            state.parties.push(party.to_owned());
            self.all.borrow_mut().by_party.entry(party.to_owned()).or_default().insert(connection.id);
        }
        if let Some(until) = until.filter(|until| state.until != Some(*until)) {
            let mut all = self.all.borrow_mut();
            if let Some(old) = state.until.replace(until) {
                all.ends.remove(&(old, connection.id));
            }
            all.ends.insert((until, connection.id));
        }
    }

    /// Carries out an order under the state in force; between slices of a long one the connections get a turn.
    pub(crate) async fn obey(&self, order: Order, current: &Current) {
        match order {
            Order::DecideAgain(change, told) => {
                let cut = self.decide_again(&change, current).await;
                // Nobody hears it where the gate ends.
                let _ = told.send(cut);
            }
            Order::WindDown => self.all.borrow().by_id.values().for_each(|connection| connection.wake()),
            Order::EndAll => {
                self.all.borrow().by_id.values().for_each(|connection| connection.end(Cut::Everything));
            }
        }
    }

    async fn decide_again(&self, change: &Change, current: &Current) -> u64 {
        let concerned = self.all.borrow().concerned(&change.touched);
        let mut cut = 0;
        for (index, slice) in concerned.chunks(SLICE).enumerate() {
            if index > 0 {
                tokio::task::yield_now().await;
            }
            let again = |one: &&Rc<Connection>| one.decide_again(current, change.now);
            cut += slice.iter().filter(again).count() as u64;
        }
        cut
    }

    /// Decides again about the connections whose admission has ended by itself.
    pub(crate) fn expire(&self, current: &Current, now: UnixTime) {
        let mut ended = Vec::new();
        {
            let mut all = self.all.borrow_mut();
            while let Some(&(until, id)) = all.ends.first() {
                if until >= now {
                    break;
                }
                all.ends.pop_first();
                ended.extend(all.by_id.get(&id).cloned());
            }
        }
        for connection in ended {
            connection.state.borrow_mut().until = None;
            connection.decide_again(current, now);
        }
    }
}

impl All {
    fn concerned(&self, touched: &[Touched]) -> Vec<Rc<Connection>> {
        if touched.contains(&Touched::Everyone) {
            return self.by_id.values().cloned().collect();
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
        ids.iter().filter_map(|id| self.by_id.get(id).cloned()).collect()
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
        let gone = {
            let running = &mut self.state.borrow_mut().running;
            running.iter().position(|running| running.id == id).map(|place| running.swap_remove(place))
        };
        // Its waker may hold the last of a task: not while the state is lent.
        drop(gone);
    }

    /// Nothing is asked for a while: gives back the room for exchanges.
    pub(crate) fn rest(&self) {
        self.state.borrow_mut().running.shrink_to_fit();
    }

    /// Whether exchanges that were cut are not gone yet.
    pub(crate) fn has_cancelled(&self) -> bool {
        self.state.borrow().running.iter().any(|running| running.is_cancelled)
    }

    /// When the connection is to be looked at for an answer that is late, or before.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.state.borrow().due
    }

    /// Whoever has this waker looks at [`Connection::due`] each time that it is woken.
    pub(crate) fn driven_by(&self, waker: &Waker) {
        keep(&mut self.state.borrow_mut().driver, waker);
    }

    /// Wakes the requests whose answers are late.
    pub(crate) fn ring(&self, now: Instant) {
        let state = &mut *self.state.borrow_mut();
        for running in state.running.iter_mut().filter(|running| running.due.is_some_and(|due| due <= now)) {
            running.due = None;
            running.is_late = true;
            running.wake();
        }
        state.due = state.running.iter().filter_map(|running| running.due).min();
    }

    /// Resolves when something was cut (or when the gate drains): `None` in the latter case.
    pub(crate) async fn cut(&self) -> Option<Cut> {
        self.wake.notified().await;
        self.cut.get()
    }

    /// Has [`Connection::cut`] resolve: the gate drains.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    fn end(&self, cut: Cut) {
        self.cut.set(self.cut.get().max(Some(cut)));
        self.wake.notify_one();
    }

    /// Cuts what is not admitted now; whether anything was.
    pub(crate) fn decide_again(&self, current: &Current, now: UnixTime) -> bool {
        let state = &mut *self.state.borrow_mut();
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
        for running in state.running.iter_mut().filter(|running| !running.is_cancelled) {
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
        self.is_cancelled = true;
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Notes whom to wake.
fn keep(slot: &mut Option<Waker>, waker: &Waker) {
    match slot {
        Some(known) => known.clone_from(waker),
        none => *none = Some(waker.clone()),
    }
}

/// Resolves when its request loses admission, or is over.
pub(crate) struct Cancelled {
    connection: Rc<Connection>,
    id: u64,
}

impl Cancelled {
    /// Until when the answer to the same request has to begin.
    pub(crate) fn due(&self) -> Due {
        Due { connection: self.connection.clone(), id: self.id }
    }
}

/// Until when the answer to a request has to begin. It has no timer of its own: whoever drives the connection has one for
/// all of its requests, and wakes the task that waits for [`Cancelled`].
pub(crate) struct Due {
    connection: Rc<Connection>,
    id: u64,
}

impl Due {
    /// It has until then from now on.
    pub(crate) fn set(&self, at: Instant) {
        let state = &mut *self.connection.state.borrow_mut();
        if let Some(running) = state.running.iter_mut().find(|running| running.id == self.id) {
            (running.due, running.is_late) = (Some(at), false);
        }
        // Mostly an earlier request's time is the first to be looked at, whether or not it was answered meanwhile.
        if state.due.is_none_or(|due| at < due) {
            state.due = Some(at);
            if let Some(driver) = &state.driver {
                driver.wake_by_ref();
            }
        }
    }

    /// Whether the time has come since it was set.
    pub(crate) fn has_come(&self) -> bool {
        let state = self.connection.state.borrow();
        state.running.iter().any(|running| running.id == self.id && running.is_late)
    }
}

impl Future for Cancelled {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let running = &mut self.connection.state.borrow_mut().running;
        match running.iter_mut().find(|running| running.id == self.id) {
            Some(running) if !running.is_cancelled => {
                keep(&mut running.waker, cx.waker());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }
}
