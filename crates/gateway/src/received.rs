//! A request's body as it comes from the client, and what becomes of the rest where nobody wants it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// Bytes of an unwanted body that are read on.
const MOST: usize = 64 * 1024;
/// How long an unwanted body is read on.
const LONGEST: Duration = Duration::from_secs(1);

/// The body of a request; on HTTP/2 a part of what is left of it is read when it is dropped before its end.
///
/// Otherwise the stream is reset as soon as its answer is complete (RFC 9113 section 8.1 allows that), and there are
/// clients that still send then and throw the answer away. Must be dropped inside a `LocalSet`.
pub(crate) struct Received {
    body: Option<Incoming>,
    http2: bool,
}

impl Received {
    pub(crate) fn new(body: Incoming, http2: bool) -> Self {
        Self { body: Some(body), http2 }
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if self.http2
            && let Some(body) = self.body.take().filter(|body| !body.is_end_stream())
        {
            tokio::task::spawn_local(tokio::time::timeout(LONGEST, read_on(body)));
        }
    }
}

async fn read_on(mut body: Incoming) {
    let mut left = MOST;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(length) else { return };
        left = rest;
    }
}
