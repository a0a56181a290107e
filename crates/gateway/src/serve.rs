//! HTTP on one connection, until it ends: by itself, by a deadline, or because it lost admission.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use policy::{Decision, HostName, Peer};
use prometheus_client::metrics::counter::Counter;
use tokio::time::{Instant, Sleep};

use crate::admit::{self, Memo};
use crate::answer;
use crate::doze::Http1;
use crate::handshake::Arrival;
use crate::io::{self, Line, Pulse};
use crate::lines::Lines;
use crate::listen::{Door, Seat, Worker};
use crate::live::{Connection, Cut};
use crate::proxy::Link;
use crate::refuse;
use crate::settings::Limits;
use crate::spoken::Refused;
use crate::turn::Turns;
use crate::upstream::tunnel::Tunnel;

/// How long a connection without a running request stays when the gate drains: a request that is on its way is answered.
pub(crate) const LAST_WAIT: Duration = Duration::from_secs(1);
/// How long streams that were reset may take to be gone before the connection is dropped.
const GONE: Duration = Duration::from_millis(500);
/// Header fields that hyper takes without being told.
const HYPERS_FIELDS: usize = 100;

/// One connection's facts; never a verdict.
pub(crate) struct Visit {
    pub(crate) worker: Rc<Worker>,
    pub(crate) site: HostName,
    pub(crate) from: IpAddr,
    pub(crate) link: Link,
    /// What it says about where requests come from is believed.
    pub(crate) trusted: bool,
    pub(crate) door: Door,
    pub(crate) http2: bool,
    pub(crate) peer: RefCell<Option<Arc<Peer>>>,
    pub(crate) live: Rc<Connection>,
    pub(crate) memo: RefCell<Memo>,
    pub(crate) pulse: Rc<Pulse>,
    /// One request, then it closes.
    pub(crate) caged: bool,
    /// It closes after the running requests.
    pub(crate) closing: Cell<bool>,
    /// Header values made once.
    pub(crate) lines: RefCell<Lines>,
    /// Counter of the last verdict.
    pub(crate) counter: RefCell<Option<(&'static str, Counter)>>,
    /// The WebSocket that an HTTP/1.1 connection becomes.
    pub(crate) tunnel: RefCell<Option<Tunnel>>,
    /// Verdicts that are in the audit log already.
    pub(crate) told: RefCell<Vec<(&'static str, String)>>,
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.worker.live.remove(&self.live);
        self.worker.shared.observer.metrics.open(&self.site, -1);
    }
}

/// Serves a connection to its end. What comes back has no room for the arrival any more.
pub(crate) fn serve(
    worker: Rc<Worker>,
    arrival: Box<Arrival>,
    door: Door,
    mut seat: Seat,
) -> impl Future<Output = ()> + 'static {
    let welcomed = welcome(worker, *arrival, door, &mut seat);
    async move {
        // Given back when all is over.
        let _seat = seat;
        if let Some((line, visit)) = welcomed {
            to_the_end(line, visit).await;
        }
    }
}

async fn to_the_end(line: Line, visit: Rc<Visit>) {
    // Each on the heap, so that a connection has room for its own protocol alone.
    let end = if visit.http2 {
        Box::pin(over_http2(line.clone(), visit)).await
    } else {
        Box::pin(over_http1(line.clone(), visit)).await
    };
    if end != End::Badly
        && let Some(tcp) = line.into_socket()
    {
        Box::pin(io::close(tcp)).await;
    }
}

/// Registers the connection and says what it may be. Nothing of the state in force stays with it: an idle connection
/// would keep a policy that is long past.
fn welcome(worker: Rc<Worker>, arrival: Arrival, door: Door, seat: &mut Seat) -> Option<(Line, Rc<Visit>)> {
    let shared = worker.shared.clone();
    let limits = &shared.limits;
    let now = (shared.clock)();
    let current = shared.current.load_full();
    let site = arrival.site.name.clone();
    let rules = current.state.snapshot.site(&site)?;
    let peer = arrival.peer.as_deref();
    let caged = door == Door::Sites
        && !admit::is_open(rules, now)
        && admit::standing(&current, rules, peer, now).is_err();
    if caged {
        seat.stranger(now);
    }
    let http2 = arrival.stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let pulse = Pulse::new(limits, caged.then_some(limits.stranger_life), http2);
    let live = worker.live.add(site.clone(), arrival.peer.clone(), arrival.strict);
    if arrival.strict {
        // It ends with its admission even where no request was made on it.
        let moment = current.state.moment(now);
        if let Decision::Admit(grant) = policy::decide(&current.state.snapshot, rules, None, peer, moment) {
            worker.live.note(&live, Some(grant.identity.id()), Some(grant.until));
        }
    }
    shared.observer.metrics.open(&site, 1);
    let visit = Rc::new(Visit {
        worker,
        site,
        from: arrival.link.from.ip(),
        trusted: shared.front.trusted_proxies.contains(arrival.link.from.ip()),
        link: arrival.link,
        door,
        http2,
        peer: RefCell::new(arrival.peer),
        live: live.clone(),
        memo: RefCell::default(),
        pulse: pulse.clone(),
        caged,
        closing: Cell::new(false),
        lines: RefCell::default(),
        counter: RefCell::default(),
        tunnel: RefCell::default(),
        told: RefCell::default(),
    });
    // A change between handshake and registration was told to nobody.
    live.decide_again(&current, now);

    if !visit.worker.shared.life.phase().accepts() {
        // The others may have been told that the gate drains before this one was there.
        visit.live.wake();
    }

    Some((Line::new(arrival.stream, pulse), visit))
}

/// HTTP/2, to the end of the connection.
async fn over_http2(mut line: Line, visit: Rc<Visit>) -> End {
    let (limits, caged) = (&visit.worker.shared.limits, visit.caged);
    let mut builder = http2::Builder::new(Local);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(if caged { 1 } else { limits.h2_streams })
        // The first size that is refused; it stands in our SETTINGS all the same.
        .max_header_list_size(header_bytes(limits, caged) as u32 + 1)
        .max_send_buf_size(256 * 1024);
    if !caged {
        builder.enable_connect_protocol();
    }
    let asked = visit.clone();
    // On the heap: on its way into the task of its stream it is moved several times.
    let service = service_fn(move |request| Box::pin(answer::answer(asked.clone(), request)));
    let connection = pin!(builder.serve_connection(TokioIo::new(line.clone()), service));
    let end = drive(pin!(Turns { connection, line: line.clone() }), &visit).await;
    if end == End::Flooded {
        refuse::flooding(&visit);
        Box::pin(line.calm_down()).await;
    }
    end
}

/// HTTP/1.1, and the WebSocket that it becomes.
async fn over_http1(line: Line, visit: Rc<Visit>) -> End {
    let (limits, caged) = (&visit.worker.shared.limits, visit.caged);
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .keep_alive(!caged)
        .max_header_size(header_bytes(limits, caged));
    // Given its own default, hyper would clear the table for each request.
    if limits.header_fields != HYPERS_FIELDS {
        builder.max_headers(limits.header_fields);
    }
    let asked = visit.clone();
    // On the heap, and only while it lasts: hyper keeps room for an answer as long as the connection.
    let service = service_fn(move |request| Box::pin(answer::answer(asked.clone(), request)));
    let mut connection = Http1::new(builder, line, service);
    let end = drive(Pin::new(&mut connection), &visit).await;
    let tunnel = visit.tunnel.borrow_mut().take();
    if let Some((tunnel, parts)) = tunnel.filter(|_| end == End::Well).zip(connection.into_parts()) {
        Box::pin(tunnel.run(parts.io.into_inner(), parts.read_buf)).await;
    }
    end
}

fn header_bytes(limits: &Limits, caged: bool) -> usize {
    if caged { limits.stranger_header_bytes } else { limits.header_bytes }
}

/// A connection of either protocol.
trait Http: Future<Output = Result<(), hyper::Error>> {
    /// No further requests.
    fn wind_down(self: Pin<&mut Self>);
    /// Nothing is asked for a while.
    fn rest(self: Pin<&mut Self>);
}

impl<S, B> Http for Http1<Line, S>
where
    S: hyper::service::HttpService<hyper::body::Incoming, ResBody = B> + Unpin,
    S::Future: Unpin,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: http_body::Body + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    Self: Future<Output = Result<(), hyper::Error>>,
{
    fn wind_down(self: Pin<&mut Self>) {
        self.get_mut().wind_down();
    }

    fn rest(self: Pin<&mut Self>) {
        self.get_mut().rest();
    }
}

impl<I, S, B> Http for http2::Connection<I, S, Local>
where
    S: hyper::service::HttpService<hyper::body::Incoming, ResBody = B>,
    S::Future: 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    Local: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    fn wind_down(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }

    /// Its streams and windows would be lost.
    fn rest(self: Pin<&mut Self>) {}
}

impl<C: Http> Http for Turns<'_, C> {
    fn wind_down(mut self: Pin<&mut Self>) {
        self.connection.as_mut().wind_down();
    }

    fn rest(mut self: Pin<&mut Self>) {
        self.connection.as_mut().rest();
    }
}

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Its last words should arrive.
    Well,
    /// There are none.
    Badly,
    /// It asked for too much in vain, and is to be told so.
    Flooded,
}

impl End {
    fn well(well: bool) -> Self {
        if well { Self::Well } else { Self::Badly }
    }
}

/// Drives the connection to its end.
async fn drive(mut connection: Pin<&mut impl Http>, visit: &Visit) -> End {
    let mut timer = pin!(tokio::time::sleep_until(far()));
    let (mut winding, mut draining) = (false, false);
    loop {
        let mut cut = pin!(visit.live.cut());
        let event = poll_fn(|cx| {
            if visit.closing.get() && !std::mem::replace(&mut winding, true) {
                connection.as_mut().wind_down();
            }
            visit.live.driven_by(cx.waker());
            let polled = connection.as_mut().poll(cx);
            let refused = visit.pulse.refused();
            refused.iter().for_each(|refused| refuse::broken(visit, *refused));
            if let Poll::Ready(result) = polled {
                if let Some(error) = result.as_ref().err().filter(|error| error.is_parse()) {
                    refuse::unreadable(visit, error);
                }
                // A GOAWAY that says what was wrong should arrive.
                let told = refused.iter().any(|refused| matches!(refused, Refused::Connection(_)));
                return Poll::Ready(Event::Ended(result.is_ok() || told));
            }
            if visit.pulse.is_flooded() {
                return Poll::Ready(Event::Flooded);
            }
            // An answer may have asked for the end just now.
            if visit.closing.get() && !winding {
                cx.waker().wake_by_ref();
            }
            if let Poll::Ready(cut) = cut.as_mut().poll(cx) {
                return Poll::Ready(Event::Cut(cut));
            }
            rearm(timer.as_mut(), [visit.pulse.alarm(), visit.live.due()].into_iter().flatten().min());
            timer.as_mut().poll(cx).map(|()| Event::Late)
        })
        .await;
        if matches!(event, Event::Late) {
            visit.live.ring(Instant::now());
        }
        match event {
            Event::Ended(well) => return End::well(well),
            Event::Flooded => return End::Flooded,
            Event::Late if visit.pulse.deadline().is_some_and(|at| at <= Instant::now()) => {
                if draining {
                    // Nothing came any more: an idle connection is closed in good form.
                    connection.as_mut().wind_down();
                    let last = poll_fn(|cx| Poll::Ready(connection.as_mut().poll(cx))).await;
                    return End::well(matches!(last, Poll::Ready(Ok(()))));
                }
                return End::Badly;
            }
            Event::Late if visit.pulse.may_rest() => {
                visit.lines.borrow_mut().rest();
                visit.live.rest();
                connection.as_mut().rest();
            }
            Event::Late => {}
            Event::Cut(Some(Cut::Everything)) => return End::Badly,
            Event::Cut(Some(Cut::Exchanges)) if !visit.http2 => return End::Badly,
            Event::Cut(Some(Cut::Exchanges)) => {
                // Streams were reset; others that are still admitted end in their own time.
                visit.closing.set(true);
                connection.as_mut().wind_down();
                winding = true;
                let mut gone = pin!(tokio::time::sleep(GONE));
                let ended = poll_fn(|cx| match connection.as_mut().poll(cx) {
                    Poll::Ready(result) => Poll::Ready(Some(result.is_ok())),
                    Poll::Pending => gone.as_mut().poll(cx).map(|()| None),
                });
                match ended.await {
                    Some(well) => return End::well(well),
                    None if visit.live.has_cancelled() => return End::Badly,
                    None => {}
                }
            }
            Event::Cut(None) => {
                // An idle HTTP/1.1 connection is told so with its next answer, HTTP/2 now.
                let hurries = visit.worker.shared.life.phase().hurries();
                let idle = visit.pulse.hurry(hurries.then_some(LAST_WAIT));
                visit.closing.set(visit.closing.get() || visit.http2 || !idle);
                draining = true;
            }
        }
    }
}

enum Event {
    Ended(bool),
    Flooded,
    Cut(Option<Cut>),
    Late,
}

/// Sets the timer where the deadline changed.
fn rearm(timer: Pin<&mut Sleep>, deadline: Option<Instant>) {
    let is_due = timer.is_elapsed();
    // A later deadline, or none, is found when the timer fires: resetting it for every byte would cost more.
    match deadline {
        Some(deadline) if is_due || deadline < timer.deadline() => timer.reset(deadline),
        None if is_due => timer.reset(far()),
        _ => {}
    }
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

/// Runs HTTP/2 streams on this core.
#[derive(Clone, Copy)]
pub(crate) struct Local;

impl<F> hyper::rt::Executor<F> for Local
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
