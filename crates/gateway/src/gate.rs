//! The gate as a whole: started on its threads, given another state, drained.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self as std_mpsc, RecvTimeoutError};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use policy::HostName;
use policy::record::Touched;
use rustls::crypto::CryptoProvider;
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use crate::admit::Current;
use crate::challenge::Challenges;
use crate::enrol::Enrolments;
use crate::health;
use crate::life::{Life, Phase};
use crate::listen::{self, Crowd, Door, Worker};
use crate::live::{Change, Live, Order};
use crate::metrics;
use crate::observe::{Events, Observer};
use crate::plain;
use crate::provider::provider;
use crate::rate::Rates;
use crate::renew::Renewals;
use crate::settings::{Clock, Enrol, Front, GateError, GateSettings, GateState, Limits, Lists, Ocsp};
use crate::upstream::check;
use crate::upstream::pool::Pool;
use crate::upstream::route::UpstreamView;

/// How long a change waits for a core that stands still: later ones must come into force on the others.
const OBEYED: Duration = Duration::from_secs(5);
/// How often ended admissions are looked for.
const TICK: Duration = Duration::from_millis(250);

/// Of so many connections, one more may be without TLS.
const PLAIN_SHARE: usize = 10;

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
    pub(crate) front: Front,
    pub(crate) observer: Observer,
    pub(crate) clock: Clock,
    pub(crate) crowd: Arc<Crowd>,
    /// The same on the listeners without TLS.
    pub(crate) plain_crowd: Arc<Crowd>,
    pub(crate) lists: Option<Lists>,
    /// Who renews certificates, where there is an enrolment address.
    pub(crate) renewals: Option<Renewals>,
    /// Who enrols, in the same place.
    pub(crate) enrolments: Option<Enrolments>,
    pub(crate) ocsp: Option<Ocsp>,
    /// Where the open challenges of ACME are.
    pub(crate) challenges: Option<Challenges>,
    /// The port of the sites, as visitors type it.
    pub(crate) https_port: u16,
    rates: OnceLock<Rates>,
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) life: Life,
    /// One a worker.
    orders: Box<[mpsc::UnboundedSender<Order>]>,
    /// Since when another gate has the sockets.
    retired: OnceLock<Instant>,
    /// One count a worker, raised each time it comes round.
    rounds: Box<[AtomicU64]>,
    /// The hosts that requests to the admin address may name.
    pub(crate) admin_hosts: Vec<HostName>,
    number: AtomicU64,
    applying: Mutex<()>,
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
        let plain = settings.plain.listen;
        let (enrol, (renew, enroller)) =
            settings.enrol.map_or((None, (None, None)), |Enrol { listen, renew, enroller }| {
                (Some(listen), (Some(renew), Some(enroller)))
            });
        for listener in settings.listen.iter().chain(&settings.admin).chain(&enrol).chain(&plain) {
            listener.set_nonblocking(true)?;
            bound.push(listener.local_addr()?);
        }
        let (orders, heard): (Vec<_>, Vec<_>) = (0..workers).map(|_| mpsc::unbounded_channel()).unzip();
        let shared = Arc::new(Shared {
            crowd: Arc::new(Crowd::new(&settings.limits)),
            plain_crowd: Arc::new(Crowd::new(&Limits {
                slots: (settings.limits.slots / PLAIN_SHARE).max(1),
                ..settings.limits.clone()
            })),
            lists: settings.plain.lists,
            renewals: renew.map(Renewals::new),
            enrolments: enroller.map(Enrolments::new),
            ocsp: settings.plain.ocsp,
            challenges: settings.challenges,
            https_port: settings.plain.https_port,
            rates: OnceLock::new(),
            limits: settings.limits,
            front: settings.front,
            observer: Observer::new(events),
            clock,
            provider: Arc::new(provider()),
            life: Life::new(),
            orders: orders.into(),
            retired: OnceLock::new(),
            rounds: (0..workers).map(|_| AtomicU64::new(0)).collect(),
            admin_hosts: health::hosts(settings.admin.as_ref().and_then(|admin| admin.local_addr().ok())),
            number: AtomicU64::new(1),
            applying: Mutex::new(()),
            current: ArcSwap::from_pointee(Current::new(0, state, None)),
        });
        health::note_state(&shared);
        let gate = Self { shared: shared.clone(), threads: Mutex::default(), bound };
        for (part, orders) in heard.into_iter().enumerate() {
            let mut listeners = Vec::new();
            for listener in &settings.listen {
                listeners.push((listener.try_clone()?, For::Door(Door::Sites)));
            }
            if let Some(admin) = &settings.admin {
                listeners.push((admin.try_clone()?, For::Door(Door::Admin)));
            }
            if let Some(enrol) = &enrol {
                listeners.push((enrol.try_clone()?, For::Door(Door::Enrol)));
            }
            shared.crowd.accepting.fetch_add(listeners.len(), Ordering::SeqCst);
            for listener in &plain {
                listeners.push((listener.try_clone()?, For::Redirects));
            }
            let shared = shared.clone();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let thread = std::thread::Builder::new().name(format!("gate-{part}")).spawn(move || {
                LocalSet::new().block_on(&runtime, work(shared, part, listeners, orders));
            })?;
            gate.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
        Ok(gate)
    }

    /// Puts another state in force and decides again about the open connections that the change touches. When it
    /// returns, each of these that lost admission has been told to end; the count of them is returned. A core that stands
    /// still is waited for five seconds, and ends its own when it comes round.
    pub fn apply(&self, state: GateState, touched: Vec<Touched>) -> u64 {
        let _one_at_a_time = self.shared.applying.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.shared.number.fetch_add(1, Ordering::SeqCst);
        let current = Arc::new(Current::new(number, state, Some(&**self.shared.current.load())));
        self.shared.current.store(current);
        health::note_state(&self.shared);
        self.shared.decide_again(Change { touched, now: (self.shared.clock)() })
    }

    /// Leaves the sockets to another gate that accepts on them: stops accepting, and lets what is here end in its own
    /// time. The answer to the next request says that it is the connection's last, an idle connection stays until its
    /// ordinary deadline, and streams and WebSockets go on. Policy goes on being applied.
    pub fn retire(&self) {
        self.shared.life.advance(Phase::Retired);
        let _ = self.shared.retired.set(Instant::now());
        self.shared.order(|| Order::WindDown);
    }

    /// Whether a gate that retired has nobody left, or has waited for them as long as its limits say.
    pub fn is_over(&self) -> bool {
        let is_late = |since: &Instant| since.elapsed() >= self.shared.limits.retired;
        self.shared.crowd.is_gone() && self.shared.plain_crowd.is_gone()
            || self.shared.retired.get().is_some_and(is_late)
    }

    /// How often each worker has come round; one that stands still does not get further.
    pub fn rounds(&self) -> Vec<u64> {
        self.shared.rounds.iter().map(|rounds| rounds.load(Ordering::Relaxed)).collect()
    }

    /// Stops accepting once the sockets' queues are empty, lets running requests end for at most `most`, then ends
    /// everything. Answers say meanwhile that they are the connection's last, and idle connections are closed.
    pub fn drain(&self, most: Duration) {
        let until = Instant::now() + most;
        self.shared.life.advance(Phase::Draining);
        self.shared.order(|| Order::WindDown);
        while !self.shared.crowd.is_gone() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.shared.order(|| Order::EndAll);
        self.end();
    }

    /// The metrics in Prometheus' text.
    pub fn metrics_text(&self) -> String {
        self.shared.metrics_text()
    }

    /// How the upstreams fare, by site and in their order.
    pub fn upstreams(&self) -> Vec<UpstreamView> {
        self.shared.upstreams()
    }

    /// The addresses it listens on, in the order of the settings; then the admin address, the enrolment address, and those
    /// without TLS.
    pub fn bound(&self) -> Vec<SocketAddr> {
        self.bound.clone()
    }

    fn end(&self) {
        self.shared.life.advance(Phase::Ended);
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
    /// Has every core decide again, each about its own connections; how many were cut when all have.
    fn decide_again(&self, change: Change) -> u64 {
        let change = Arc::new(change);
        let (told, answers) = std_mpsc::channel();
        self.order(|| Order::DecideAgain(change.clone(), told.clone()));
        drop(told);
        let (until, mut cut) = (Instant::now() + OBEYED, 0);
        loop {
            match answers.recv_timeout(TICK) {
                Ok(some) => cut += some,
                Err(RecvTimeoutError::Disconnected) => return cut,
                // A core that ends takes its connections with it, and may leave an order in its queue.
                Err(RecvTimeoutError::Timeout) if self.life.phase() == Phase::Ended => return cut,
                Err(RecvTimeoutError::Timeout) if Instant::now() >= until => {
                    tracing::error!("a core does not come round; the next change does not wait for it");
                    return cut;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn order(&self, order: impl Fn() -> Order) {
        for core in &self.orders {
            // Whoever has ended has nothing open.
            let _ = core.send(order());
        }
    }

    /// The rate limits' buckets, made when the first site wants them.
    pub(crate) fn rates(&self) -> &Rates {
        self.rates.get_or_init(Rates::new)
    }

    pub(crate) fn metrics_text(&self) -> String {
        let more = self.observer.events.metrics() + &metrics::upstreams(&self.upstreams());
        self.observer.metrics.text(&more)
    }

    fn upstreams(&self) -> Vec<UpstreamView> {
        let current = self.current.load();
        current.routes.backends().map(|backend| backend.view(self.limits.ejection)).collect()
    }
}

/// What a listener is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    /// With TLS.
    Door(Door),
    /// Without TLS.
    Redirects,
}

/// One core's work, until the gate ends.
async fn work(
    shared: Arc<Shared>,
    part: usize,
    listeners: Vec<(std::net::TcpListener, For)>,
    orders: mpsc::UnboundedReceiver<Order>,
) {
    let pool = Pool::new(shared.limits.connect);
    if part == 0 {
        tokio::task::spawn_local(check::watch(shared.clone(), pool.clone()));
    }
    let worker = Rc::new(Worker { shared: shared.clone(), pool, live: Live::default() });
    for (listener, purpose) in listeners {
        match (tokio::net::TcpListener::from_std(listener), purpose) {
            (Ok(listener), For::Redirects) => {
                tokio::task::spawn_local(plain::accept(worker.clone(), listener));
            }
            (Ok(listener), For::Door(door)) => {
                tokio::task::spawn_local(listen::accept(worker.clone(), listener, door));
            }
            (Err(error), _) => {
                if purpose != For::Redirects {
                    shared.crowd.accepting.fetch_sub(1, Ordering::SeqCst);
                }
                tracing::error!(%error, "a listener is not usable");
            }
        }
    }
    // A task, since what runs here is polled whenever anything happens. Where it breaks, all of the core ends: one that
    // could obey no more must not go on serving.
    if let Err(broken) = tokio::task::spawn_local(rule(worker, part, orders)).await {
        std::panic::resume_unwind(broken.into_panic());
    }
}

/// Keeps time on a core and carries out its orders, until the gate ends.
async fn rule(worker: Rc<Worker>, part: usize, mut orders: mpsc::UnboundedReceiver<Order>) {
    let shared = &worker.shared;
    let mut phase = shared.life.subscribe();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {
                shared.rounds[part].fetch_add(1, Ordering::Relaxed);
                let now = (shared.clock)();
                worker.live.expire(&shared.current.load(), now);
                if part == 0 {
                    shared.observer.sweep(now);
                }
            }
            Some(order) = orders.recv() => worker.live.obey(order, &shared.current.load_full()).await,
            _ = phase.wait_for(|phase| *phase == Phase::Ended) => return,
        }
    }
}
