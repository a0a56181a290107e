//! What goes over connections to upstreams: a request's body of any kind, and an answer's, which holds its connection.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::pool::Lease;
use super::route::Load;

type BoxError = Box<dyn Error + Send + Sync>;

/// An answer's body. Dropped after its end it gives the connection back; before that it takes it along.
pub struct Lent {
    pub(super) body: Incoming,
    pub(super) lease: Option<Lease>,
    /// Where there is a choice of upstreams: it runs there so long.
    pub(crate) load: Option<Load>,
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
        self.load = None;
        if let Some(lease) = self.lease.take() {
            lease.give_back();
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

/// Any request body behind one type, so that connections are shared among them; most have none.
pub(crate) struct AnyBody(Option<Pin<Box<dyn Body<Data = Bytes, Error = BoxError>>>>);

impl AnyBody {
    /// This body.
    pub(crate) fn of<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        Self((!body.is_end_stream()).then(|| Box::pin(Plain(body)) as _))
    }

    /// None.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// Whether there never was one.
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
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
