//! The request to the upstream. Only a [`Permit`] opens this door.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, COOKIE, HOST, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::admit::Permit;
use crate::broom::{self, Forwarded, Identity};
use crate::pool::{Lent, Pool, PoolError};
use crate::settings::{GateSite, Upstream};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

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
}

/// Why there is no answer.
pub(crate) enum Failure {
    /// No connection, or it broke before an answer.
    Unreachable(String),
    /// Nothing came in time.
    Timeout,
    /// The request's body is longer than allowed.
    TooLong,
}

/// Sends the permitted request on and gives the upstream's answer as soon as its head is there.
pub(crate) async fn forward(
    permit: &Permit,
    site: &GateSite,
    pool: &Pool,
    request: Request<Incoming>,
    told: Told<'_>,
    first_byte: Duration,
    max_body: Option<u64>,
) -> Result<Response<Lent>, Failure> {
    let (mut parts, body) = request.into_parts();
    broom::sweep(&mut parts.headers);
    parts.uri = target(permit, &parts.uri);
    parts.headers.insert(HOST, told.host);
    join_cookies(&mut parts.headers);
    // Without a length the client side of hyper takes such methods to have no body.
    if !body.is_end_stream() && !parts.headers.contains_key(CONTENT_LENGTH) {
        parts.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    told.forwarded.set(&mut parts.headers);
    told.identity.set(&mut parts.headers, told.reference);
    if let Some(refusal) = permit.would_refuse() {
        parts.headers.insert(WOULD_REFUSE, HeaderValue::from_static(refusal.code().as_str()));
    }

    let progress = Rc::new(Progress { last: Cell::new(Instant::now()), too_long: Cell::new(false) });
    let body = Upload { body, left: max_body, progress: progress.clone() };
    let Upstream::Http(upstream) = &site.upstream;
    let sending = pool.send(upstream, Request::from_parts(parts, body));
    tokio::pin!(sending);
    loop {
        // The time for an answer counts from the last byte that went to the upstream.
        let until = progress.last.get() + first_byte;
        match tokio::time::timeout_at(until, &mut sending).await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(_)) if progress.too_long.get() => return Err(Failure::TooLong),
            Ok(Err(PoolError::ConnectTimeout)) => return Err(Failure::Timeout),
            Ok(Err(error)) => return Err(Failure::Unreachable(error.to_string())),
            Err(_) if progress.last.get() + first_byte > until => {}
            Err(_) => return Err(Failure::Timeout),
        }
    }
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
}

/// The request's body on its way: counted, its trailers swept.
struct Upload {
    body: Incoming,
    left: Option<u64>,
    progress: Rc<Progress>,
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_ready() {
            self.progress.last.set(Instant::now());
        }
        frame.map(|frame| {
            let mut frame = match frame? {
                Ok(frame) => frame,
                Err(error) => return Some(Err(error.into())),
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
