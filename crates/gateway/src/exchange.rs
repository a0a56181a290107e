//! One exchange: the request from its head to the last byte of its answer, ended early where it loses admission.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use examiner::UnixTime;
use http::{HeaderValue, Method, Request, Uri, Version};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::broom;
use crate::live::Cancelled;
use crate::observe::{AccessEntry, reference};
use crate::received::Received;
use crate::serve::Visit;
use crate::upstream::body::Lent;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The exchange lost admission: no more of it.
#[derive(Debug, thiserror::Error)]
#[error("the exchange was ended")]
pub(crate) struct Gone;

/// One request from its head to the end of its answer; dropped, it is over and logged.
pub(crate) struct Exchange {
    visit: Rc<Visit>,
    since: Instant,
    time: UnixTime,
    method: Method,
    uri: Uri,
    protocol: &'static str,
    pub(crate) reference: String,
    status: u16,
    bytes: u64,
    pub(crate) party: Option<Arc<str>>,
    pub(crate) verdict: &'static str,
    pub(crate) running: Option<u64>,
    /// The site's `Strict-Transport-Security`.
    pub(crate) hsts: Option<HeaderValue>,
}

impl Exchange {
    /// Its head is complete.
    pub(crate) fn begin(visit: Rc<Visit>, request: &Request<Received>) -> Self {
        visit.pulse.begin(request.body().is_end_stream());
        Self {
            since: Instant::now(),
            time: (visit.worker.shared.clock)(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            protocol: if request.version() == Version::HTTP_2 { "HTTP/2.0" } else { "HTTP/1.1" },
            reference: reference(),
            status: 499,
            bytes: 0,
            party: None,
            verdict: "",
            running: None,
            hsts: None,
            visit,
        }
    }
}

impl Exchange {
    /// The connection it runs on.
    pub(crate) fn visit(&self) -> &Rc<Visit> {
        &self.visit
    }

    /// When its head was complete, by the clock of deadlines and by that of the log.
    pub(crate) fn began(&self) -> (Instant, UnixTime) {
        (self.since, self.time)
    }

    /// The status that its answer goes out with.
    pub(crate) fn note_status(&mut self, status: u16) {
        self.status = status;
    }

    /// Bytes that went to the client otherwise than as an answer's body.
    pub(crate) fn passed(&mut self, bytes: u64) {
        self.bytes += bytes;
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let visit = &self.visit;
        let now = Instant::now();
        visit.pulse.finish(now);
        if let Some(id) = self.running {
            visit.live.finish(id);
        }
        let taken = now - self.since;
        let verdict = if self.verdict.is_empty() { "refused" } else { self.verdict };
        let observer = &visit.worker.shared.observer;
        let mut counter = visit.counter.borrow_mut();
        match &*counter {
            Some((last, counter)) if *last == verdict => drop(counter.inc()),
            _ => {
                let one = observer.metrics.requests(&visit.site, verdict);
                one.inc();
                *counter = Some((verdict, one));
            }
        }
        observer.metrics.answered(taken);
        observer.events.access(AccessEntry {
            time: self.time,
            site: visit.site.clone(),
            party: self.party.take(),
            address: visit.from,
            method: Some(std::mem::take(&mut self.method)),
            // A copy: the URI would keep the connection's whole read buffer until the line is written.
            path: self.uri.path().to_owned(),
            status: self.status,
            bytes: self.bytes,
            duration_us: u64::try_from(taken.as_micros()).unwrap_or(u64::MAX),
            reference: std::mem::take(&mut self.reference),
            protocol: self.protocol,
            verdict,
        });
    }
}

/// The body of an answer; ends the exchange when it is dropped.
pub(crate) struct Answer {
    body: Content,
    /// None where it goes on after the answer.
    exchange: Option<Exchange>,
}

impl Answer {
    /// These bytes.
    pub(crate) fn own(body: Bytes, exchange: Exchange) -> Self {
        Self { body: Content::Own(Some(body)), exchange: Some(exchange) }
    }

    /// None: the exchange goes on behind the answer's head.
    pub(crate) fn none() -> Self {
        Self { body: Content::Own(None), exchange: None }
    }

    /// What comes from the upstream, until it loses admission.
    pub(crate) fn upstream(body: Lent, cancelled: Cancelled, exchange: Exchange) -> Self {
        let stream = Stream::new(&exchange.visit, body, cancelled);
        Self { body: Content::Upstream(Box::new(stream)), exchange: Some(exchange) }
    }

    /// The status that it goes out with.
    pub(crate) fn note_status(&mut self, status: u16) {
        if let Some(exchange) = &mut self.exchange {
            exchange.status = status;
        }
    }
}

enum Content {
    Own(Option<Bytes>),
    Upstream(Box<Stream>),
}

/// An upstream's body, until it ends, falls silent, or loses admission.
struct Stream {
    /// None once it was ended before its end.
    body: Option<Lent>,
    cancelled: Cancelled,
    idle: Duration,
    silence: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl Stream {
    fn new(visit: &Visit, body: Lent, cancelled: Cancelled) -> Self {
        Self {
            body: Some(body),
            cancelled,
            idle: visit.worker.shared.limits.upstream_idle,
            silence: None,
            waiting: false,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if Pin::new(&mut self.cancelled).poll(cx).is_ready() {
            return Poll::Ready(Some(Err(Gone.into())));
        }
        let Some(body) = &mut self.body else { return Poll::Ready(Some(Err(Gone.into()))) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) {
            self.waiting = false;
            return Poll::Ready(frame.map(|frame| frame.map(swept).map_err(Into::into)));
        }
        let idle = self.idle;
        let silence = self.silence.get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
        if !std::mem::replace(&mut self.waiting, true) {
            silence.as_mut().reset(Instant::now() + idle);
        }
        ready!(silence.as_mut().poll(cx));
        Poll::Ready(Some(Err("the upstream fell silent".into())))
    }
}

/// The frame, trailers without what belongs to the upstream's connection.
fn swept(mut frame: Frame<Bytes>) -> Frame<Bytes> {
    if let Some(trailers) = frame.trailers_mut() {
        broom::sweep_response(trailers);
    }
    frame
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self { body, exchange } = &mut *self;
        let frame = match body {
            Content::Own(bytes) => {
                bytes.take().filter(|bytes| !bytes.is_empty()).map(|bytes| Ok(Frame::data(bytes)))
            }
            Content::Upstream(stream) => {
                let frame = ready!(stream.poll(cx));
                if matches!(frame, Some(Err(_)))
                    && let (Some(body), Some(exchange)) = (stream.body.take(), &exchange)
                {
                    exchange.visit.worker.pool.leave(body);
                }
                frame
            }
        };
        if let (Some(Ok(frame)), Some(exchange)) = (&frame, exchange) {
            exchange.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Content::Own(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Content::Upstream(stream) => stream.body.as_ref().is_some_and(Body::is_end_stream),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Content::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Content::Upstream(stream) => stream.body.as_ref().map(Body::size_hint).unwrap_or_default(),
        }
    }
}
