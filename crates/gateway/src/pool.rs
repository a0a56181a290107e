//! Kept-alive HTTP/1.1 connections to the upstreams, one pool a core.
//!
//! A connection comes back only when its answer has been read to the end, and never after an upgrade or an
//! authentication that belongs to the connection: the next visitor must not act with the state of the last.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, WWW_AUTHENTICATE};
use http::{Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Most idle connections kept, all upstreams of this core together.
const MOST_IDLE: usize = 64;
/// Most bytes read from an upstream at once: as much as stays in the processor's cache until it is encrypted.
const READ_AT_ONCE: usize = 64 * 1024;
/// How long a connection may wait for its next request.
const IDLE: Duration = Duration::from_secs(30);

type BoxError = Box<dyn Error + Send + Sync>;
type Sender = SendRequest<AnyBody>;

/// One core's connections to the upstreams. Cheap to clone; must be used inside a `LocalSet`.
#[derive(Clone)]
pub struct Pool {
    connect_timeout: Duration,
    idle: Rc<Idle>,
}

/// Why an upstream gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// No connection: unknown host, refused, no route.
    #[error("the upstream cannot be reached: {0}")]
    Unreachable(#[source] io::Error),
    /// The connection was not there in time.
    #[error("the upstream did not take the connection in time")]
    ConnectTimeout,
    /// The connection failed before the answer's head was complete.
    #[error("the upstream gave no answer: {0}")]
    Failed(#[source] hyper::Error),
}

impl Pool {
    /// An empty pool. `connect_timeout` covers name lookup and connect.
    pub fn new(connect_timeout: Duration) -> Self {
        Self { connect_timeout, idle: Rc::new(Idle::new(IDLE)) }
    }

    /// Sends one request to `upstream` (`host:port`) and gives its answer as soon as the head is there.
    ///
    /// An idle connection is taken where there is one. If that turns out to be closed before a byte of the request was
    /// written, a new one is made, once; a request that may have been seen is never sent twice. The request goes as
    /// HTTP/1.1; its target and `Host` are the caller's.
    pub async fn send<B>(&self, upstream: &str, req: Request<B>) -> Result<Response<Lent>, PoolError>
    where
        B: Body<Data = Bytes> + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let mut req = req.map(AnyBody::of);
        *req.version_mut() = Version::HTTP_11;
        let tied = speaks_for_connection(req.headers(), &AUTHORIZATION);
        if !tied && let Some((key, mut sender)) = self.idle.take(upstream) {
            match sender.try_send_request(req).await {
                Ok(response) => return Ok(self.answered(key, sender, response, tied)),
                Err(mut stale) => match stale.take_message() {
                    Some(unsent) => req = unsent,
                    None => return Err(PoolError::Failed(stale.into_error())),
                },
            }
        }
        let mut sender = self.connect(upstream).await?;
        let response = sender.send_request(req).await.map_err(PoolError::Failed)?;
        Ok(self.answered(upstream.into(), sender, response, tied))
    }

    async fn connect(&self, upstream: &str) -> Result<Sender, PoolError> {
        let stream = tokio::time::timeout(self.connect_timeout, TcpStream::connect(upstream))
            .await
            .map_err(|_| PoolError::ConnectTimeout)?
            .map_err(PoolError::Unreachable)?;
        stream.set_nodelay(true).map_err(PoolError::Unreachable)?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(READ_AT_ONCE)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(PoolError::Failed)?;
        tokio::task::spawn_local(async move {
            // Its failure also reaches whoever waits for the answer or reads the body.
            let _ = connection.with_upgrades().await;
        });
        Ok(sender)
    }

    /// Sees to it that the connection comes back once the answer has been read.
    fn answered(
        &self,
        upstream: Rc<str>,
        sender: Sender,
        response: Response<Incoming>,
        tied: bool,
    ) -> Response<Lent> {
        let upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let kept = !tied && !upgraded && !speaks_for_connection(response.headers(), &WWW_AUTHENTICATE);
        let lease = kept.then(|| Lease { upstream, sender, idle: Rc::downgrade(&self.idle) });
        response.map(|body| Lent { body, lease })
    }
}

/// An answer's body. Dropped after its end it gives the connection back; before that it takes it along.
pub struct Lent {
    body: Incoming,
    lease: Option<Lease>,
}

struct Lease {
    upstream: Rc<str>,
    sender: Sender,
    idle: Weak<Idle>,
}

impl Body for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        match frame {
            Poll::Ready(None) => self.give_back(),
            Poll::Ready(Some(Err(_))) => self.lease = None,
            _ => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Lent {
    fn give_back(&mut self) {
        if let Some(Lease { upstream, sender, idle }) = self.lease.take()
            && let Some(idle) = idle.upgrade()
        {
            idle.put(upstream, sender);
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if self.body.is_end_stream() {
            self.give_back();
        }
    }
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
type Waiting = (Instant, Sender);

struct Idle {
    /// How long one may wait.
    limit: Duration,
    /// By upstream, the longest idle first.
    waiting: RefCell<HashMap<Rc<str>, Vec<Waiting>>>,
    reaping: Cell<bool>,
}

impl Idle {
    fn new(limit: Duration) -> Self {
        Self { limit, waiting: RefCell::default(), reaping: Cell::new(false) }
    }

    /// The most recently used connection that still stands and is ready: request written, answer read to its end,
    /// nothing behind it.
    fn take(&self, upstream: &str) -> Option<(Rc<str>, Sender)> {
        let mut waiting = self.waiting.borrow_mut();
        let key = waiting.get_key_value(upstream)?.0.clone();
        let all = waiting.get_mut(upstream)?;
        let mut unready = Vec::new();
        let mut found = None;
        while let Some((since, sender)) = all.pop() {
            if since.elapsed() >= self.limit || sender.is_closed() {
                continue;
            }
            if sender.is_ready() {
                found = Some((key, sender));
                break;
            }
            unready.push((since, sender));
        }
        all.extend(unready.into_iter().rev());
        found
    }

    fn put(self: &Rc<Self>, upstream: Rc<str>, sender: Sender) {
        let mut waiting = self.waiting.borrow_mut();
        if sender.is_closed() || waiting.values().map(Vec::len).sum::<usize>() >= MOST_IDLE {
            return;
        }
        waiting.entry(upstream).or_default().push((Instant::now(), sender));
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
        waiting.values().flatten().map(|(since, _)| *since + self.limit).min()
    }
}

/// Runs while anything is idle.
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

/// Any request body behind one type, so that connections are shared among them; most have none.
struct AnyBody(Option<Pin<Box<dyn Body<Data = Bytes, Error = BoxError>>>>);

impl AnyBody {
    fn of<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        Self((!body.is_end_stream()).then(|| Box::pin(Plain(body)) as _))
    }
}

impl Body for AnyBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.get_mut().0 {
            Some(body) => body.as_mut().poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or(SizeHint::with_exact(0), |body| body.size_hint())
    }
}

struct Plain<B>(B);

impl<B> Body for Plain<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = Pin::new(&mut self.get_mut().0).poll_frame(cx);
        frame.map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Empty, Full};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn numbered(requests: usize, extra: &'static str) -> String {
        padded(requests, extra, 1).await
    }

    /// Answers each request with the number of its connection, padded to `size`; closes a connection after `requests`.
    async fn padded(requests: usize, extra: &'static str, size: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::task::spawn_local(async move {
            for number in 1.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::task::spawn_local(async move {
                    let mut seen = Vec::new();
                    let mut answered = 0;
                    while answered < requests {
                        let mut buffer = [0; 1024];
                        let n = stream.read(&mut buffer).await.unwrap();
                        if n == 0 {
                            return;
                        }
                        seen.extend_from_slice(&buffer[..n]);
                        if seen.windows(4).any(|w| w == b"\r\n\r\n") {
                            seen.clear();
                            answered += 1;
                            let body = format!("{number}{}", " ".repeat(size - 1));
                            let length = body.len();
                            let answer =
                                format!("HTTP/1.1 200 OK\r\n{extra}content-length: {length}\r\n\r\n{body}");
                            stream.write_all(answer.as_bytes()).await.unwrap();
                        }
                    }
                });
            }
        });
        address
    }

    fn request() -> Request<Empty<Bytes>> {
        Request::get("/").header("host", "a.test").body(Empty::new()).unwrap()
    }

    async fn read(response: Response<Lent>) -> Bytes {
        let body = response.into_body().collect().await.unwrap().to_bytes();
        settle().await;
        Bytes::copy_from_slice(body.trim_ascii())
    }

    async fn settle() {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn ask(pool: &Pool, upstream: &str) -> Bytes {
        read(pool.send(upstream, request()).await.unwrap()).await
    }

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, test);
    }

    fn pool() -> Pool {
        Pool::new(Duration::from_secs(5))
    }

    #[test]
    fn a_connection_is_used_again_once_its_answer_was_read() {
        run(async {
            let (pool, upstream) = (pool(), numbered(10, "").await);
            assert_eq!(ask(&pool, &upstream).await, "1");
            assert_eq!(ask(&pool, &upstream).await, "1");
            let body = Full::new(Bytes::from_static(b"x"));
            let other = Request::post("/").header("host", "a.test").body(body).unwrap();
            assert_eq!(read(pool.send(&upstream, other).await.unwrap()).await, "1");
        });
    }

    #[test]
    fn a_connection_with_an_unread_answer_is_not_shared() {
        run(async {
            let (pool, upstream) = (pool(), padded(10, "", 8_000_000).await);
            let first = pool.send(&upstream, request()).await.unwrap();
            settle().await;
            assert_eq!(ask(&pool, &upstream).await, "2");
            assert_eq!(read(first).await, "1");
        });
    }

    #[test]
    fn a_connection_that_the_upstream_closed_is_replaced() {
        run(async {
            let (pool, upstream) = (pool(), numbered(1, "").await);
            assert_eq!(ask(&pool, &upstream).await, "1");
            assert_eq!(ask(&pool, &upstream).await, "2");
            assert_eq!(read(pool.send(&upstream, request()).await.unwrap()).await, "3");
        });
    }

    #[test]
    fn a_connection_that_says_close_or_was_logged_in_is_never_shared() {
        run(async {
            for extra in
                ["connection: close\r\n", "www-authenticate: Negotiate abc\r\n", "www-authenticate: NTLM\r\n"]
            {
                let (pool, upstream) = (pool(), numbered(10, extra).await);
                assert_eq!(ask(&pool, &upstream).await, "1", "{extra}");
                assert_eq!(ask(&pool, &upstream).await, "2", "{extra}");
            }
            let (pool, upstream) = (pool(), numbered(10, "").await);
            let mut tied = request();
            tied.headers_mut().insert("authorization", "NTLM abc".parse().unwrap());
            assert_eq!(read(pool.send(&upstream, tied).await.unwrap()).await, "1");
            assert_eq!(ask(&pool, &upstream).await, "2");
        });
    }

    fn count(pool: &Pool) -> usize {
        pool.idle.waiting.borrow().values().map(Vec::len).sum()
    }

    #[test]
    fn at_most_64_connections_are_kept_idle() {
        run(async {
            let (pool, upstream) = (pool(), numbered(10, "").await);
            let asked: Vec<_> = (0..MOST_IDLE + 3)
                .map(|_| {
                    let (pool, upstream) = (pool.clone(), upstream.clone());
                    tokio::task::spawn_local(async move { ask(&pool, &upstream).await })
                })
                .collect();
            for one in asked {
                one.await.unwrap();
            }
            assert_eq!(count(&pool), MOST_IDLE);
        });
    }

    #[test]
    fn a_connection_that_idles_too_long_is_dropped() {
        run(async {
            let limit = Duration::from_millis(200);
            let pool = Pool { connect_timeout: IDLE, idle: Rc::new(Idle::new(limit)) };
            let upstream = numbered(10, "").await;
            assert_eq!(ask(&pool, &upstream).await, "1");
            assert_eq!(count(&pool), 1);
            tokio::time::sleep(limit * 2).await;
            assert_eq!(count(&pool), 0);
            assert_eq!(ask(&pool, &upstream).await, "2");
            assert_eq!(count(&pool), 1);
        });
    }

    #[test]
    fn an_upstream_that_is_not_there_is_unreachable() {
        run(async {
            let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
            let failed = pool().send(&upstream, request()).await;
            assert!(matches!(failed, Err(PoolError::Unreachable(_))));
        });
    }

    #[test]
    fn an_upstream_that_hangs_up_without_an_answer_has_failed() {
        run(async {
            let upstream = numbered(0, "").await;
            assert!(matches!(pool().send(&upstream, request()).await, Err(PoolError::Failed(_))));
        });
    }
}
