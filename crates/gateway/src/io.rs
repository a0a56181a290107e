//! The connection's bytes under deadlines, and closing so that the last words arrive.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;

use crate::settings::Limits;

/// How far a connection is, and when it must be further.
pub(crate) struct Pulse {
    phase: Cell<Phase>,
    stalled: Cell<Option<Instant>>,
    end: Option<Instant>,
    headers_apart: bool,
    headers: Duration,
    idle: Duration,
}

#[derive(Clone, Copy)]
enum Phase {
    /// Waiting for a request until then.
    Waiting(Instant),
    /// A request's headers are coming in, to be complete by then.
    Headers(Instant),
    /// So many requests are being answered.
    Busy(u32),
}

impl Pulse {
    /// `life`: the connection ends then, whatever happens. `one_by_one`: HTTP/1.1, where headers can be told from the rest.
    pub(crate) fn new(limits: &Limits, life: Option<Duration>, one_by_one: bool) -> Rc<Self> {
        let now = Instant::now();
        Rc::new(Self {
            phase: Cell::new(Phase::Waiting(now + limits.first_request)),
            stalled: Cell::new(None),
            end: life.map(|life| now + life),
            headers_apart: one_by_one,
            headers: limits.headers,
            idle: limits.idle,
        })
    }

    /// A request's head is complete.
    pub(crate) fn begin(&self) {
        self.phase.set(match self.phase.get() {
            Phase::Busy(count) => Phase::Busy(count + 1),
            Phase::Waiting(_) | Phase::Headers(_) => Phase::Busy(1),
        });
    }

    /// An answer is complete.
    pub(crate) fn finish(&self) {
        self.phase.set(match self.phase.get() {
            Phase::Busy(count) if count > 1 => Phase::Busy(count - 1),
            _ => Phase::Waiting(Instant::now() + self.idle),
        });
    }

    /// When the connection is to end if nothing happens.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let phase = match self.phase.get() {
            Phase::Waiting(at) | Phase::Headers(at) => Some(at),
            Phase::Busy(_) => None,
        };
        let stalled = self.stalled.get().map(|since| since + self.idle);
        [phase, stalled, self.end].into_iter().flatten().min()
    }

    fn read(&self) {
        if let (Phase::Waiting(_), true) = (self.phase.get(), self.headers_apart) {
            self.phase.set(Phase::Headers(Instant::now() + self.headers));
        }
    }

    fn write<T>(&self, result: &Poll<io::Result<T>>) {
        match result {
            Poll::Ready(_) => self.stalled.set(None),
            Poll::Pending if self.stalled.get().is_none() => self.stalled.set(Some(Instant::now())),
            Poll::Pending => {}
        }
    }
}

/// The client's side of the connection, held by the HTTP machinery and by whoever ends it.
#[derive(Clone)]
pub(crate) struct Line {
    stream: Rc<RefCell<TlsStream<TcpStream>>>,
    pulse: Rc<Pulse>,
}

impl Line {
    pub(crate) fn new(stream: TlsStream<TcpStream>, pulse: Rc<Pulse>) -> Self {
        Self { stream: Rc::new(RefCell::new(stream)), pulse }
    }

    /// Takes the socket back once nobody else holds it.
    pub(crate) fn into_stream(self) -> Option<TlsStream<TcpStream>> {
        Rc::try_unwrap(self.stream).ok().map(RefCell::into_inner)
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut *self.stream.borrow_mut()).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.pulse.read();
        }
        result
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut *self.stream.borrow_mut()).poll_write(cx, buf);
        self.pulse.write(&result);
        result
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut *self.stream.borrow_mut()).poll_write_vectored(cx, bufs);
        self.pulse.write(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.borrow().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut *self.stream.borrow_mut()).poll_flush(cx);
        self.pulse.write(&result);
        result
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream.borrow_mut()).poll_shutdown(cx)
    }
}

/// Longest time and most bytes spent on what a client still sends after our last words.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 256 * 1024;

/// Closes the socket so that what was written arrives: closing over unread bytes would send a reset that overtakes it.
pub(crate) async fn close(mut stream: TcpStream) {
    let linger = async {
        let _ = stream.shutdown().await;
        let mut buffer = [0; 4096];
        let mut taken = 0;
        while taken < LINGER_BYTES {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(bytes) => taken += bytes,
            }
        }
    };
    let _ = tokio::time::timeout(LINGER, linger).await;
}
