//! The request to an upstream. Only a [`Permit`] opens this door.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, COOKIE, EXPECT, HOST, TRAILER, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri, Version};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::admit::Permit;
use crate::broom::{self, Forwarded};
use crate::identity::Identity;
use crate::live::Due;
use crate::received::Received;
use crate::settings::Limits;
use crate::upstream::body::{AnyBody, Lent};
use crate::upstream::pool::{Held, How, NoAnswer, Pool, PoolError};
use crate::upstream::route::{Ejection, Route};
use crate::upstream::trailers;
use crate::upstream::websocket::Wish;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How long a body waits for the upstream's 100 (RFC 9110 section 10.1.1: not for ever).
const EXPECTED: Duration = Duration::from_secs(1);

/// Fields that are set on a request, or a few less.
const OURS: usize = 8;

const WOULD_REFUSE: HeaderName = HeaderName::from_static("countersign-would-refuse");

/// What the upstream is told beside the request.
pub(crate) struct Told<'a> {
    /// The authority as the client wrote it.
    pub(crate) host: HeaderValue,
    /// Where it came from.
    pub(crate) forwarded: &'a Forwarded,
    /// Who is there.
    pub(crate) identity: &'a Identity,
    /// What joins the logs.
    pub(crate) reference: &'a str,
    /// The WebSocket that is asked for.
    pub(crate) wish: Option<&'a Wish>,
    /// When its head was complete.
    pub(crate) since: Instant,
}

/// Why there is no answer.
pub(crate) enum Failure {
    /// No connection, or it broke before an answer: which upstream, and how.
    Unreachable(String, String),
    /// Nothing came in time from this upstream.
    Timeout(String),
    /// The request's body is longer than allowed.
    TooLong,
}

/// Sends the permitted request on and gives the upstream's answer as soon as its head is there.
pub(crate) fn forward<'a>(
    permit: &Permit,
    (route, pool): (&'a Route, &'a Pool),
    request: Request<Received>,
    told: Told<'_>,
    limits: &'a Limits,
    max_body: Option<u64>,
    due: Due,
) -> impl Future<Output = Result<Response<Lent>, Failure>> + use<'a> {
    let how = match told.wish {
        Some(_) => How::Upgrade,
        None if route.has_choice() => How::WithChoice,
        None => How::Kept,
    };
    // Before the future begins: whoever holds it needs no room for the parts.
    let (request, progress) = prepare(permit, request, told, max_body);
    answered(route, pool, (request, how), (progress, due), limits.first_byte, limits.ejection)
}

/// The request as the upstream gets it, and how far its body is.
fn prepare(
    permit: &Permit,
    request: Request<Received>,
    told: Told<'_>,
    max_body: Option<u64>,
) -> (Request<AnyBody>, Rc<Progress>) {
    let (mut parts, body) = request.into_parts();
    let announced = trailers::announced(&parts.headers);
    broom::sweep(&mut parts.headers);
    // Room for what is set below, at once.
    parts.headers.reserve(OURS);
    parts.uri = target(permit, &parts.uri);
    parts.headers.insert(HOST, told.host);
    join_cookies(&mut parts.headers);
    // Without a length the client side of hyper takes such methods to have no body.
    if !body.is_end_stream() && !parts.headers.contains_key(CONTENT_LENGTH) {
        parts.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    if let Some(announced) = announced.filter(|_| !body.is_end_stream()) {
        parts.headers.insert(TRAILER, announced);
    }
    told.forwarded.set(&mut parts.headers);
    told.identity.set(&mut parts.headers, told.reference);
    if let Some(refusal) = permit.would_refuse() {
        parts.headers.insert(WOULD_REFUSE, HeaderValue::from_static(refusal.code().as_str()));
    }

    if let Some(wish) = told.wish {
        parts.method = Method::GET;
        wish.set(&mut parts.headers);
    }
    parts.version = Version::HTTP_11;
    parts.extensions.clear();

    let progress = Rc::new(Progress {
        last: Cell::new(told.since),
        too_long: Cell::new(false),
        broken: Cell::new(false),
    });
    let mut upload = Upload { body, left: max_body, hold: None, progress: progress.clone() };
    let held = expected(&parts.headers, &upload.body).then(|| {
        let held = Arc::new(Notify::new());
        let heard = held.clone();
        upload.hold = Some(Box::pin(async move {
            let _ = tokio::time::timeout(EXPECTED, heard.notified()).await;
        }));
        held
    });
    let mut request = Request::from_parts(parts, AnyBody::of(upload));
    if let Some(held) = held {
        let told = held.clone();
        hyper::ext::on_informational(&mut request, move |interim| {
            if interim.status() == http::StatusCode::CONTINUE {
                told.notify_one();
            }
        });
        request.extensions_mut().insert(Held(held));
    }
    (request, progress)
}

async fn answered(
    route: &Route,
    pool: &Pool,
    (mut request, how): (Request<AnyBody>, How),
    (progress, due): (Rc<Progress>, Due),
    first_byte: Duration,
    ejection: Ejection,
) -> Result<Response<Lent>, Failure> {
    let mut tried = 0;
    let mut failure = None;
    while let Some(backend) = route.choose(&mut tried) {
        let load = route.load(backend);
        match timed(pin!(pool.send(backend, request, how)), &progress, first_byte, &due).await {
            Some(Ok(mut response)) => {
                backend.succeeded();
                response.body_mut().load = load;
                return Ok(response);
            }
            Some(Err(_)) if progress.too_long.get() => return Err(Failure::TooLong),
            Some(Err(none)) => {
                let NoAnswer { error, unsent } = *none;
                // A client that went away says nothing about the upstream.
                if !progress.broken.get() {
                    backend.failed(ejection);
                }
                let name = backend.text.clone();
                let why = match error {
                    PoolError::ConnectTimeout => Failure::Timeout(name),
                    error => Failure::Unreachable(name, error.to_string()),
                };
                let Some(unsent) = unsent else { return Err(why) };
                failure = Some(why);
                request = unsent;
            }
            None => {
                backend.failed(ejection);
                return Err(Failure::Timeout(backend.text.clone()));
            }
        }
    }
    Err(failure.unwrap_or_else(|| Failure::Unreachable(String::new(), "there is no upstream".into())))
}

/// What comes of it; `None` where no answer begins in time, counted from the last byte that went to the upstream.
async fn timed<T>(
    mut sending: Pin<&mut impl Future<Output = T>>,
    progress: &Progress,
    first_byte: Duration,
    due: &Due,
) -> Option<T> {
    due.set(progress.last.get() + first_byte);
    poll_fn(|cx| {
        if let Poll::Ready(result) = sending.as_mut().poll(cx) {
            return Poll::Ready(Some(result));
        }
        if due.has_come() {
            let until = progress.last.get() + first_byte;
            if until <= Instant::now() {
                return Poll::Ready(None);
            }
            due.set(until);
        }
        Poll::Pending
    })
    .await
}

/// Whether the client waits for a 100 before it sends the body.
fn expected(headers: &http::HeaderMap, body: &Received) -> bool {
    let wants = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    headers.get(EXPECT).is_some_and(wants) && !body.is_end_stream()
}

/// The request target in origin form; on sites with path rules the path that the decision was made on.
fn target(permit: &Permit, uri: &Uri) -> Uri {
    if let Some(path) = permit.path().filter(|path| path.as_str() != uri.path()) {
        let text = match uri.query() {
            Some(query) => format!("{}?{query}", path.as_str()),
            None => path.as_str().to_owned(),
        };
        // Cannot fail: both parts were parsed before.
        return text.parse().unwrap_or_else(|_| Uri::from_static("/"));
    }
    if uri.authority().is_none() {
        return uri.clone();
    }
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = uri.path_and_query().cloned();
    Uri::from_parts(parts).unwrap_or_else(|_| Uri::from_static("/"))
}

/// HTTP/2 splits cookies; HTTP/1.1 has one field (RFC 9113 section 8.2.3).
fn join_cookies(headers: &mut http::HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_none() {
        return;
    }
    let all: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&all.join(&b"; "[..])) {
        headers.insert(COOKIE, joined);
    }
}

struct Progress {
    last: Cell<Instant>,
    too_long: Cell<bool>,
    /// The client's body broke off.
    broken: Cell<bool>,
}

/// The request's body on its way: counted, its trailers swept.
struct Upload {
    body: Received,
    left: Option<u64>,
    /// Not a byte is taken from the client before this is ready.
    hold: Option<Pin<Box<dyn Future<Output = ()>>>>,
    progress: Rc<Progress>,
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(hold) = &mut self.hold {
            ready!(hold.as_mut().poll(cx));
            self.hold = None;
        }
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_ready() {
            self.progress.last.set(Instant::now());
        }
        frame.map(|frame| {
            let mut frame = match frame? {
                Ok(frame) => frame,
                Err(error) => {
                    self.progress.broken.set(true);
                    return Some(Err(error.into()));
                }
            };
            if let (Some(left), Some(data)) = (&mut self.left, frame.data_ref()) {
                match left.checked_sub(data.len() as u64) {
                    Some(rest) => *left = rest,
                    None => {
                        self.progress.too_long.set(true);
                        return Some(Err("the body is longer than allowed".into()));
                    }
                }
            }
            if let Some(trailers) = frame.trailers_mut() {
                broom::sweep(trailers);
            }
            Some(Ok(frame))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
