//! Kept-alive connections to the upstreams, one pool a core.
//!
//! An HTTP/1.1 connection comes back only when its answer has been read to the end, and never after an upgrade or an
//! authentication that belongs to the connection: the next visitor must not act with the state of the last. An HTTP/2
//! connection carries the requests of many at once, each on a stream of its own; after such an authentication it takes
//! no more.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
    WWW_AUTHENTICATE,
};
use http::uri::{Authority, Parts, Scheme as UriScheme};
use http::{Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::body::{AnyBody, Lent};
use super::connect::{Fresh, STREAMS, connect};
use super::route::Backend;
use super::target::{Scheme, Target};
use super::tls::told;

/// Most idle connections kept, all upstreams of this core together.
const MOST_IDLE: usize = 64;
/// How long a connection may wait for its next request.
const IDLE: Duration = Duration::from_secs(30);
/// How long after its answer was ended early a connection is closed, and how many of them before others get a turn.
const LEFT: Duration = Duration::from_millis(100);
const AT_ONCE: usize = 64;
/// A connection that waited so long may just be closed by an upstream that keeps none for longer.
const DOUBTFUL: Duration = Duration::from_millis(500);

/// One core's connections to the upstreams. Cheap to clone; must be used inside a `LocalSet`.
#[derive(Clone)]
pub(crate) struct Pool {
    connect_timeout: Duration,
    idle: Rc<Idle>,
    /// What a new connection begins with, before TLS.
    preface: Bytes,
}

/// Which connection a request takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// A kept one, where there is one.
    Kept,
    /// The same; there are other upstreams to turn to.
    WithChoice,
    /// One of its own, which nobody else ever uses, on HTTP/1.1: it may be upgraded.
    Upgrade,
}

/// Why an upstream gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PoolError {
    /// No connection: unknown host, refused, no route.
    #[error("the upstream cannot be reached: {0}")]
    Unreachable(#[source] io::Error),
    /// The connection was not there in time.
    #[error("the upstream did not take the connection in time")]
    ConnectTimeout,
    /// No TLS, or not with whom it should be.
    #[error("the upstream cannot be verified: {0}")]
    Unverified(String),
    /// The connection failed before the answer's head was complete.
    #[error("the upstream gave no answer: {0}")]
    Failed(String),
    /// HTTP/2 alone is spoken there.
    #[error("an h2c:// upstream takes no WebSocket")]
    NoWebSocket,
}

impl PoolError {
    pub(super) fn failed(error: hyper::Error) -> Self {
        Self::Failed(told(&error))
    }
}

/// No answer; and the request, where the upstream has certainly done nothing with it.
pub(crate) struct NoAnswer {
    pub(crate) error: PoolError,
    pub(crate) unsent: Option<Request<AnyBody>>,
}

impl From<PoolError> for Box<NoAnswer> {
    fn from(error: PoolError) -> Self {
        Box::new(NoAnswer { error, unsent: None })
    }
}

/// Lets a held body go: the upstream will not say when.
#[derive(Clone)]
pub(crate) struct Held(pub(crate) Arc<Notify>);

impl Pool {
    /// An empty pool. `connect_timeout` covers name lookup, connect and TLS.
    pub(crate) fn new(connect_timeout: Duration) -> Self {
        Self { connect_timeout, idle: Rc::new(Idle::new(IDLE)), preface: Bytes::new() }
    }

    /// A pool of its own for one client's connection: nobody else's requests come to its connections, each of which
    /// begins with `preface`. Dropped, it closes them.
    #[must_use]
    pub(crate) fn for_one_client(&self, preface: Bytes) -> Self {
        Self { connect_timeout: self.connect_timeout, idle: Rc::new(Idle::new(IDLE)), preface }
    }

    /// Sends one request and gives its answer as soon as the head is there.
    ///
    /// If a kept connection turns out to be closed before a byte of the request was written, a new one is made, once; so
    /// too if it is closed without an answer, for a request that may be made twice (RFC 9110 section 9.2.2) and has no
    /// body. Its target and `Host` are the caller's, as HTTP/1.1 writes them.
    pub(crate) async fn send(
        &self,
        backend: &Backend,
        mut req: Request<AnyBody>,
        how: How,
    ) -> Result<Response<Lent>, Box<NoAnswer>> {
        if how == How::Upgrade && backend.target.scheme == Scheme::H2c {
            return Err(PoolError::NoWebSocket.into());
        }
        let tied = how == How::Upgrade || speaks_for_connection(req.headers(), &AUTHORIZATION);
        if !tied && let Some((mut sender, stream)) = self.idle.share(backend.id) {
            shape(&mut req, &backend.target, true);
            let again = repeatable(&req);
            match sender.try_send_request(req).await {
                Ok(response) => return Ok(stream_answered(stream, response)),
                Err(mut stale) => match stale.take_message().or(again) {
                    Some(unsent) => req = unsent,
                    None => return Err(PoolError::failed(stale.into_error()).into()),
                },
            }
        } else if !tied && let Some((since, mut sender)) = self.idle.take(backend.id) {
            shape(&mut req, &backend.target, false);
            let doubtful = how == How::WithChoice || since.elapsed() >= DOUBTFUL;
            let again = if doubtful { repeatable(&req) } else { None };
            match sender.try_send_request(req).await {
                Ok(response) => return Ok(self.answered(backend.id, sender, response, tied)),
                Err(mut stale) => {
                    let unsent = stale.take_message();
                    match unsent.or(again.filter(|_| !stale.error().is_parse())) {
                        Some(unsent) => req = unsent,
                        None => return Err(PoolError::failed(stale.into_error()).into()),
                    }
                }
            }
        }
        // On the heap: most requests find a kept connection, and all of them would carry the room for a new one.
        match Box::pin(connect(backend, tied, &self.preface, self.connect_timeout)).await {
            Ok(fresh) => Box::pin(self.send_on(fresh, backend, req, tied)).await,
            Err(error) => Err(Box::new(NoAnswer { error, unsent: Some(req) })),
        }
    }

    /// Takes an answer that nobody may have any more. Its connection is closed a little later: where thousands lose
    /// admission at once, each of them is told before that is done.
    pub(crate) fn leave(&self, mut answer: Lent) {
        answer.load = None;
        self.idle.left.borrow_mut().push(answer);
        if !self.idle.leaving.replace(true) {
            tokio::task::spawn_local(close_left(self.idle.clone()));
        }
    }

    /// Sends one request over a new connection that is used for nothing else.
    pub(crate) async fn send_alone(
        &self,
        backend: &Backend,
        req: Request<AnyBody>,
    ) -> Result<Response<Lent>, PoolError> {
        let fresh = connect(backend, false, backend.own_preface(), self.connect_timeout).await?;
        self.send_on(fresh, backend, req, true).await.map_err(|none| none.error)
    }

    async fn send_on(
        &self,
        fresh: Fresh,
        backend: &Backend,
        mut req: Request<AnyBody>,
        tied: bool,
    ) -> Result<Response<Lent>, Box<NoAnswer>> {
        match fresh {
            Fresh::One(mut sender) => {
                shape(&mut req, &backend.target, false);
                let response = sender.send_request(req).await.map_err(PoolError::failed)?;
                Ok(self.answered(backend.id, sender, response, tied))
            }
            Fresh::Many(mut sender, most) => {
                shape(&mut req, &backend.target, true);
                let many = Many::new(sender.clone(), most);
                let stream = many.stream();
                if !tied {
                    self.idle.put_many(backend.id, many);
                }
                let response = sender.send_request(req).await.map_err(PoolError::failed)?;
                Ok(stream_answered(stream, response))
            }
        }
    }

    /// Sees to it that the connection comes back once the answer has been read.
    fn answered(
        &self,
        id: u64,
        sender: http1::SendRequest<AnyBody>,
        response: Response<Incoming>,
        tied: bool,
    ) -> Response<Lent> {
        let upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let kept = !tied && !upgraded && !speaks_for_connection(response.headers(), &WWW_AUTHENTICATE);
        let lease = kept.then(|| Lease::One { id, sender, idle: Rc::downgrade(&self.idle) });
        response.map(|body| Lent { body, lease, load: None })
    }
}

fn stream_answered(stream: Stream, response: Response<Incoming>) -> Response<Lent> {
    if speaks_for_connection(response.headers(), &WWW_AUTHENTICATE) {
        stream.0.shared.set(false);
    }
    response.map(|body| Lent { body, lease: Some(Lease::Stream(stream)), load: None })
}

/// What an answer holds until it was read.
pub(super) enum Lease {
    /// A whole connection.
    One { id: u64, sender: http1::SendRequest<AnyBody>, idle: Weak<Idle> },
    /// A place among an HTTP/2 connection's streams.
    #[allow(dead_code, reason = "held, never looked at")]
    Stream(Stream),
}

impl Lease {
    /// The answer was read to its end.
    pub(super) fn give_back(self) {
        if let Self::One { id, sender, idle } = self
            && let Some(idle) = idle.upgrade()
        {
            idle.put(id, sender);
        }
    }
}

/// A copy of a request that may be made twice; none of one with a body.
fn repeatable(req: &Request<AnyBody>) -> Option<Request<AnyBody>> {
    let twice =
        matches!(*req.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE);
    (twice && req.body().is_none()).then(|| {
        let mut copy = Request::new(AnyBody::none());
        *copy.method_mut() = req.method().clone();
        *copy.uri_mut() = req.uri().clone();
        *copy.version_mut() = req.version();
        *copy.headers_mut() = req.headers().clone();
        copy
    })
}

/// Writes the request as HTTP/2 or HTTP/1.1 has it, whichever it was written for before.
fn shape(req: &mut Request<AnyBody>, target: &Target, http2: bool) {
    if (req.version() == Version::HTTP_2) == http2 {
        return;
    }
    let mut parts = Parts::default();
    parts.path_and_query = req.uri().path_and_query().cloned();
    if http2 {
        *req.version_mut() = Version::HTTP_2;
        let host = req.headers_mut().remove(HOST);
        req.headers_mut().remove(TRANSFER_ENCODING);
        let authority =
            host.and_then(|host| Authority::from_maybe_shared(Bytes::copy_from_slice(host.as_bytes())).ok());
        parts.scheme = Some(if target.scheme == Scheme::Https { UriScheme::HTTPS } else { UriScheme::HTTP });
        parts.authority = authority.or(Some(Authority::from_static("localhost")));
        if let Some(Held(held)) = req.extensions_mut().remove() {
            req.headers_mut().remove(EXPECT);
            held.notify_one();
        }
    } else {
        *req.version_mut() = Version::HTTP_11;
        let authority = req.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
        if let Some(host) = authority {
            req.headers_mut().insert(HOST, host);
        }
        if !req.body().is_none() && !req.headers().contains_key(CONTENT_LENGTH) {
            req.headers_mut().insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
    }
    *req.uri_mut() = Uri::from_parts(parts).unwrap_or_else(|_| Uri::from_static("/"));
}

/// Whether this field speaks of an authentication that holds for the whole connection (RFC 4559, NTLM).
fn speaks_for_connection(headers: &HeaderMap, field: &HeaderName) -> bool {
    headers.get_all(field).iter().any(|value| {
        value.as_bytes().split(|b| *b == b',').any(|challenge| {
            let scheme = challenge.trim_ascii().split(|b| *b == b' ').next().unwrap_or_default();
            scheme.eq_ignore_ascii_case(b"negotiate") || scheme.eq_ignore_ascii_case(b"ntlm")
        })
    })
}

/// Since when a connection waits.
type Waiting = (Instant, http1::SendRequest<AnyBody>);

/// An HTTP/2 connection.
struct Many {
    sender: http2::SendRequest<AnyBody>,
    streams: Rc<Streams>,
    /// The most streams that the upstream takes at once.
    most: Rc<Cell<usize>>,
}

/// What runs on an HTTP/2 connection.
struct Streams {
    count: Cell<usize>,
    /// When the last one ended.
    since: Cell<Instant>,
    /// Whether it takes more.
    shared: Cell<bool>,
}

/// A stream, until dropped.
pub(super) struct Stream(Rc<Streams>);

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.count.set(self.0.count.get() - 1);
        self.0.since.set(Instant::now());
    }
}

impl Many {
    fn new(sender: http2::SendRequest<AnyBody>, most: Rc<Cell<usize>>) -> Self {
        let streams =
            Streams { count: Cell::new(0), since: Cell::new(Instant::now()), shared: Cell::new(true) };
        Self { sender, streams: Rc::new(streams), most }
    }

    fn stream(&self) -> Stream {
        self.streams.count.set(self.streams.count.get() + 1);
        Stream(self.streams.clone())
    }

    fn has_room(&self) -> bool {
        let most = STREAMS.min(self.most.get());
        self.streams.shared.get() && self.streams.count.get() < most && !self.sender.is_closed()
    }

    /// When it will have been idle for so long; none while something runs.
    fn ends(&self, limit: Duration) -> Option<Instant> {
        (self.streams.count.get() == 0).then(|| self.streams.since.get() + limit)
    }
}

pub(super) struct Idle {
    /// How long one may wait.
    limit: Duration,
    /// By upstream, the longest idle first.
    waiting: RefCell<BTreeMap<u64, Vec<Waiting>>>,
    /// By upstream, HTTP/2 connections whether idle or not.
    many: RefCell<BTreeMap<u64, Vec<Many>>>,
    reaping: Cell<bool>,
    /// Answers that nobody may have, whose connections are to be closed.
    left: RefCell<Vec<Lent>>,
    leaving: Cell<bool>,
}

impl Idle {
    fn new(limit: Duration) -> Self {
        Self {
            limit,
            waiting: RefCell::default(),
            many: RefCell::default(),
            reaping: Cell::new(false),
            left: RefCell::default(),
            leaving: Cell::new(false),
        }
    }

    /// The most recently used connection that still stands and is ready: request written, answer read to its end,
    /// nothing behind it.
    fn take(&self, upstream: u64) -> Option<Waiting> {
        let mut waiting = self.waiting.borrow_mut();
        let all = waiting.get_mut(&upstream)?;
        let mut unready = Vec::new();
        let mut found = None;
        while let Some((since, sender)) = all.pop() {
            if since.elapsed() >= self.limit || sender.is_closed() {
                continue;
            }
            if sender.is_ready() {
                found = Some((since, sender));
                break;
            }
            unready.push((since, sender));
        }
        all.extend(unready.into_iter().rev());
        found
    }

    /// A place on an HTTP/2 connection.
    fn share(&self, upstream: u64) -> Option<(http2::SendRequest<AnyBody>, Stream)> {
        let many = self.many.borrow();
        let found = many.get(&upstream)?.iter().find(|one| one.has_room())?;
        Some((found.sender.clone(), found.stream()))
    }

    fn put(self: &Rc<Self>, upstream: u64, sender: http1::SendRequest<AnyBody>) {
        let mut waiting = self.waiting.borrow_mut();
        if sender.is_closed() || waiting.values().map(Vec::len).sum::<usize>() >= MOST_IDLE {
            return;
        }
        waiting.entry(upstream).or_default().push((Instant::now(), sender));
        self.wake_reaper();
    }

    fn put_many(self: &Rc<Self>, upstream: u64, many: Many) {
        self.many.borrow_mut().entry(upstream).or_default().push(many);
        self.wake_reaper();
    }

    fn wake_reaper(self: &Rc<Self>) {
        if !self.reaping.replace(true) {
            tokio::task::spawn_local(reap(Rc::downgrade(self), Instant::now() + self.limit));
        }
    }

    /// Drops what waited too long or was closed; the moment to look again, if anything is left.
    fn sweep(&self) -> Option<Instant> {
        let mut waiting = self.waiting.borrow_mut();
        for all in waiting.values_mut() {
            all.retain(|(since, sender)| since.elapsed() < self.limit && !sender.is_closed());
        }
        waiting.retain(|_, all| !all.is_empty());
        let now = Instant::now();
        let mut many = self.many.borrow_mut();
        for all in many.values_mut() {
            // What runs on one that is left out ends in its own time.
            all.retain(|one| {
                !one.sender.is_closed()
                    && one.streams.shared.get()
                    && one.ends(self.limit).is_none_or(|end| end > now)
            });
        }
        many.retain(|_, all| !all.is_empty());
        let next = many.values().flatten().map(|one| one.ends(self.limit).unwrap_or(now + self.limit));
        waiting.values().flatten().map(|(since, _)| *since + self.limit).chain(next).min()
    }
}

/// Closes what was left, some at a time.
async fn close_left(idle: Rc<Idle>) {
    tokio::time::sleep(LEFT).await;
    loop {
        let some = {
            let mut left = idle.left.borrow_mut();
            let rest = left.len().saturating_sub(AT_ONCE);
            left.split_off(rest)
        };
        if some.is_empty() {
            idle.leaving.set(false);
            return;
        }
        drop(some);
        tokio::task::yield_now().await;
    }
}

/// Runs while anything is kept.
async fn reap(idle: Weak<Idle>, mut next: Instant) {
    loop {
        tokio::time::sleep_until(next).await;
        let Some(idle) = idle.upgrade() else { return };
        match idle.sweep() {
            Some(later) => next = later,
            None => {
                idle.reaping.set(false);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
