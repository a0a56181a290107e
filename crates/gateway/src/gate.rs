//! The gate as a whole: started on its threads, given another state, drained.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use policy::HostName;
use policy::record::Touched;
use rustls::crypto::CryptoProvider;
use tokio::sync::watch;
use tokio::task::LocalSet;

use crate::admit::Current;
use crate::handshake::provider;
use crate::health;
use crate::listen::{self, Crowd, Worker};
use crate::live::Live;
use crate::observe::{Events, Observer};
use crate::pool::Pool;
use crate::settings::{Clock, GateError, GateSettings, GateState, Limits};

/// How often ended admissions are looked for.
const TICK: Duration = Duration::from_millis(250);

/// A running gate. Dropped, it ends all connections at once.
pub struct Gate {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    bound: Vec<SocketAddr>,
}

/// What all cores share.
pub(crate) struct Shared {
    pub(crate) current: ArcSwap<Current>,
    pub(crate) limits: Limits,
    pub(crate) observer: Observer,
    pub(crate) live: Live,
    pub(crate) clock: Clock,
    pub(crate) crowd: Arc<Crowd>,
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) phase: watch::Sender<Phase>,
    /// The hosts that requests to the admin address may name.
    pub(crate) admin_hosts: Vec<HostName>,
    number: AtomicU64,
    applying: Mutex<()>,
}

/// How far the gate is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// Connections are accepted.
    Serving,
    /// No new connections; running requests are answered.
    Draining,
    /// Over.
    Ended,
}

impl Gate {
    /// Starts the gate: on return it accepts connections.
    pub fn start(
        settings: GateSettings,
        state: GateState,
        events: Arc<dyn Events>,
        clock: Clock,
    ) -> Result<Self, GateError> {
        state.check()?;
        let workers = settings.workers.max(1);
        let mut bound = Vec::new();
        for listener in settings.listen.iter().chain(&settings.admin) {
            listener.set_nonblocking(true)?;
            bound.push(listener.local_addr()?);
        }
        let shared = Arc::new(Shared {
            crowd: Arc::new(Crowd::new(&settings.limits)),
            limits: settings.limits,
            observer: Observer::new(events),
            live: Live::new(workers),
            clock,
            provider: Arc::new(provider()),
            phase: watch::channel(Phase::Serving).0,
            admin_hosts: health::hosts(settings.admin.as_ref().and_then(|admin| admin.local_addr().ok())),
            number: AtomicU64::new(1),
            applying: Mutex::new(()),
            current: ArcSwap::from_pointee(Current { number: 0, state }),
        });
        health::note_state(&shared);
        let gate = Self { shared: shared.clone(), threads: Mutex::default(), bound };
        for part in 0..workers {
            let mut listeners = Vec::new();
            for listener in &settings.listen {
                listeners.push((listener.try_clone()?, false));
            }
            if let Some(admin) = &settings.admin {
                listeners.push((admin.try_clone()?, true));
            }
            shared.crowd.accepting.fetch_add(listeners.len(), Ordering::SeqCst);
            let shared = shared.clone();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let thread = std::thread::Builder::new().name(format!("gate-{part}")).spawn(move || {
                LocalSet::new().block_on(&runtime, work(shared, part, listeners));
            })?;
            gate.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
        Ok(gate)
    }

    /// Puts another state in force and decides again about the open connections that the change touches. When it
    /// returns, each of these has been told to end; the count of them is returned.
    pub fn apply(&self, state: GateState, touched: Vec<Touched>) -> u64 {
        let _one_at_a_time = self.shared.applying.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.shared.number.fetch_add(1, Ordering::SeqCst);
        let current = Arc::new(Current { number, state });
        self.shared.current.store(current.clone());
        health::note_state(&self.shared);
        self.shared.live.decide_again(&touched, &current, (self.shared.clock)())
    }

    /// Stops accepting once the sockets' queues are empty, lets running requests end for at most `most`, then ends
    /// everything. Answers say meanwhile that they are the connection's last, and idle connections are closed.
    pub fn drain(&self, most: Duration) {
        let until = Instant::now() + most;
        self.shared.phase.send_replace(Phase::Draining);
        self.shared.live.end_all(false);
        while !self.shared.crowd.is_gone() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.shared.live.end_all(true);
        self.end();
    }

    /// The metrics in Prometheus' text.
    pub fn metrics_text(&self) -> String {
        self.shared.metrics_text()
    }

    /// The addresses it listens on, in the order of the settings; the admin address last.
    pub fn bound(&self) -> Vec<SocketAddr> {
        self.bound.clone()
    }

    fn end(&self) {
        self.shared.phase.send_replace(Phase::Ended);
        for thread in std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner)) {
            let _ = thread.join();
        }
        self.shared.observer.sweep(examiner::UnixTime::FAR_FUTURE);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    pub(crate) fn metrics_text(&self) -> String {
        let more = self.observer.events.metrics();
        self.observer.metrics.text(&more)
    }
}

/// One core's work, until the gate ends.
async fn work(shared: Arc<Shared>, part: usize, listeners: Vec<(std::net::TcpListener, bool)>) {
    let pool = Pool::new(shared.limits.connect);
    let worker = Rc::new(Worker { shared: shared.clone(), pool, part });
    for (listener, admin) in listeners {
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => {
                tokio::task::spawn_local(listen::accept(worker.clone(), listener, admin));
            }
            Err(error) => {
                shared.crowd.accepting.fetch_sub(1, Ordering::SeqCst);
                tracing::error!(%error, "a listener is not usable");
            }
        }
    }
    let mut phase = shared.phase.subscribe();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {
                let now = (shared.clock)();
                shared.live.expire(part, &shared.current.load(), now);
                if part == 0 {
                    shared.observer.sweep(now);
                }
            }
            _ = phase.wait_for(|phase| *phase == Phase::Ended) => return,
        }
    }
}
