//! The connection's bytes under deadlines, and closing so that the last words arrive.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use rustls::ServerConnection;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;

use crate::doze::Wakeful;
use crate::frames::Frames;
use crate::settings::Limits;
use crate::socket::Socket;
use crate::spoken::{self, Refused, Spoken};
use crate::turn::Held;

/// How long nothing is asked before what serves an HTTP/1.1 connection is put to rest.
const REST: Duration = Duration::from_secs(2);

/// How far a connection is, and when it must be further.
pub(crate) struct Pulse {
    phase: Cell<Phase>,
    stalled: Cell<Option<Instant>>,
    end: Option<Instant>,
    /// The last request came without a body, on HTTP/1.1.
    bare: Cell<bool>,
    /// When what serves the connection is put to rest if nothing comes.
    rest: Cell<Option<Instant>>,
    /// On HTTP/2, where requests come among other things.
    frames: Option<RefCell<Frames>>,
    /// On HTTP/2, what went out.
    spoken: Option<RefCell<Spoken>>,
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
    /// `life`: the connection ends then, whatever happens.
    pub(crate) fn new(limits: &Limits, life: Option<Duration>, http2: bool) -> Rc<Self> {
        let now = Instant::now();
        Rc::new(Self {
            phase: Cell::new(Phase::Waiting(now + limits.first_request)),
            stalled: Cell::new(None),
            end: life.map(|life| now + life),
            bare: Cell::new(false),
            rest: Cell::new(None),
            frames: http2.then(|| RefCell::new(Frames::new(limits.h2_streams))),
            spoken: http2.then(|| RefCell::new(Spoken::new())),
            headers: limits.headers,
            idle: limits.idle,
        })
    }

    /// A request's head is complete. `bare`: it has no body.
    pub(crate) fn begin(&self, bare: bool) {
        self.bare.set(bare && self.frames.is_none());
        self.rest.set(None);
        self.phase.set(match self.phase.get() {
            Phase::Busy(count) => Phase::Busy(count + 1),
            Phase::Waiting(_) | Phase::Headers(_) => Phase::Busy(1),
        });
    }

    /// An answer is complete.
    pub(crate) fn finish(&self, now: Instant) {
        self.phase.set(match self.phase.get() {
            Phase::Busy(count) if count > 1 => Phase::Busy(count - 1),
            _ => {
                self.rest.set(self.bare.get().then_some(now + REST));
                Phase::Waiting(now + self.idle)
            }
        });
    }

    /// Whether it is time to put to rest what serves the connection: nothing of a request or an answer is under way,
    /// and nothing has come since. Said once.
    pub(crate) fn may_rest(&self) -> bool {
        let is_due = self.rest.get().is_some_and(|at| at <= Instant::now());
        if is_due {
            self.rest.set(None);
        }
        is_due && self.stalled.get().is_none() && matches!(self.phase.get(), Phase::Waiting(_))
    }

    /// When the connection is to be looked at if nothing happens.
    pub(crate) fn alarm(&self) -> Option<Instant> {
        [self.deadline(), self.rest.get()].into_iter().flatten().min()
    }

    /// When the connection is to end if nothing happens.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let phase = match self.phase.get() {
            Phase::Waiting(at) | Phase::Headers(at) => Some(at),
            Phase::Busy(_) => None,
        };
        let stalled = self.stalled.get().map(|since| since + self.idle);
        let due = self.frames.as_ref().and_then(|frames| frames.borrow().due_since());
        [phase, stalled, due.map(|since| since + self.headers), self.end].into_iter().flatten().min()
    }

    /// The gate takes no more: where no request runs, the next has to come within `most`, if that is given. Whether
    /// none runs.
    pub(crate) fn hurry(&self, most: Option<Duration>) -> bool {
        match self.phase.get() {
            Phase::Busy(_) => return false,
            Phase::Waiting(at) if self.stalled.get().is_none() => {
                self.phase.set(Phase::Waiting(most.map_or(at, |most| at.min(Instant::now() + most))));
            }
            Phase::Waiting(_) | Phase::Headers(_) => {}
        }
        true
    }

    /// What the HTTP machinery refused by itself since it was asked for last.
    pub(crate) fn refused(&self) -> Vec<Refused> {
        self.spoken.as_ref().map(|spoken| spoken.borrow_mut().refused()).unwrap_or_default()
    }

    /// The client asks for too much in vain.
    pub(crate) fn is_flooded(&self) -> bool {
        self.frames.as_ref().is_some_and(|frames| frames.borrow().calm.is_over())
    }

    /// Whether a frame may go out now.
    fn is_between_frames(&self) -> bool {
        self.spoken.as_ref().is_some_and(|spoken| spoken.borrow().is_between_frames())
    }

    fn written<'a>(&self, result: &Poll<io::Result<usize>>, parts: impl Iterator<Item = &'a [u8]>) {
        let (Some(spoken), Some(frames), Poll::Ready(Ok(count))) = (&self.spoken, &self.frames, result)
        else {
            return;
        };
        let (mut spoken, mut left) = (spoken.borrow_mut(), *count);
        for part in parts {
            let worth = spoken.take(&part[..left.min(part.len())]);
            frames.borrow_mut().calm.went(worth);
            left = left.saturating_sub(part.len());
        }
    }

    fn read(&self, bytes: &[u8]) {
        match (&self.frames, self.phase.get()) {
            (Some(frames), _) => frames.borrow_mut().take(bytes, Instant::now()),
            (None, Phase::Waiting(_)) => {
                self.rest.set(None);
                self.phase.set(Phase::Headers(Instant::now() + self.headers));
            }
            (None, _) => {}
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
    stream: Rc<RefCell<TlsStream<Socket>>>,
    pulse: Rc<Pulse>,
    /// On HTTP/2, what waits for the end of the turn.
    held: Option<Rc<RefCell<Held>>>,
    /// Was read before, and is read again.
    early: Bytes,
}

impl Line {
    pub(crate) fn new(stream: TlsStream<Socket>, pulse: Rc<Pulse>) -> Self {
        let held = pulse.frames.is_some().then(Rc::default);
        Self { stream: Rc::new(RefCell::new(stream)), pulse, held, early: Bytes::new() }
    }

    /// Has what a turn of HTTP/2 said leave; whoever drives the connection calls it after each.
    pub(crate) fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(held) = &self.held else { return Poll::Ready(Ok(())) };
        let result = held.borrow_mut().poll_leave(Pin::new(&mut *self.stream.borrow_mut()), cx);
        self.pulse.write(&result);
        result
    }

    /// Whether these bytes wait for the end of the turn; otherwise what waited has gone on before them.
    fn poll_hold(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<Option<usize>>> {
        let Some(held) = &self.held else { return Poll::Ready(Ok(None)) };
        let mut held = held.borrow_mut();
        held.check()?;
        if let Some(count) = held.take(parts) {
            return Poll::Ready(Ok(Some(count)));
        }
        let gone = held.poll_go_on(Pin::new(&mut *self.stream.borrow_mut()), cx);
        // Where nothing was held, nothing has moved.
        if gone.is_pending() {
            self.pulse.write(&gone);
        }
        ready!(gone)?;
        Poll::Ready(Ok(held.take(parts)))
    }

    /// Tells an HTTP/2 client that it asks for too much, where a frame may go out.
    pub(crate) async fn calm_down(&mut self) {
        if self.pulse.is_between_frames() {
            let told = async {
                self.write_all(&spoken::calm_down()).await?;
                self.shutdown().await
            };
            let _ = tokio::time::timeout(LINGER, told).await;
        }
    }

    /// Takes the socket back, to be closed, once nobody else holds it.
    ///
    /// `None` as well where the client has ended: the drop has closed the socket, and nothing was to be waited for.
    pub(crate) fn into_socket(self) -> Option<Socket> {
        let (socket, mut tls) = Rc::try_unwrap(self.stream).ok()?.into_inner().into_inner();
        (!has_ended(&mut tls)).then_some(socket)
    }
}

/// Whether the client has said that it sends no more (RFC 8446 section 6.1). Then nothing comes that would have to be
/// read for our last words to arrive.
fn has_ended(tls: &mut ServerConnection) -> bool {
    tls.process_new_packets().is_ok_and(|state| state.peer_has_closed())
}

impl Wakeful for Line {
    fn put_back(&mut self, early: Bytes) {
        self.early = early;
    }

    /// A part of a TLS record is nothing that could be read.
    fn is_drained(&self) -> bool {
        self.early.is_empty() && self.stream.borrow().get_ref().1.wants_read()
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Whoever reads next sees an error as well.
        self.stream.borrow().get_ref().0.poll_read_ready(cx).map(drop)
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.early.is_empty() {
            let now = self.early.len().min(buf.remaining());
            buf.put_slice(&self.early.split_to(now));
            return Poll::Ready(Ok(()));
        }
        if self.pulse.is_flooded() {
            // Whoever drives the connection ends it now: nothing more of this is read.
            return Poll::Pending;
        }
        if self.is_drained() && self.poll_readable(cx).is_pending() {
            // The HTTP machinery asks some times for each request: TLS need not look where the socket has nothing.
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let result = Pin::new(&mut *self.stream.borrow_mut()).poll_read(cx, buf);
        if let Some(read @ [_, ..]) = buf.filled().get(before..) {
            self.pulse.read(read);
        }
        result
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = match ready!(self.poll_hold(cx, bufs))? {
            Some(count) => Poll::Ready(Ok(count)),
            None => {
                let result = Pin::new(&mut *self.stream.borrow_mut()).poll_write_vectored(cx, bufs);
                self.pulse.write(&result);
                result
            }
        };
        self.pulse.written(&result, bufs.iter().map(|buf| &**buf));
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.borrow().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(held) = &self.held {
            // At the end of the turn.
            return Poll::Ready(held.borrow().check());
        }
        let result = Pin::new(&mut *self.stream.borrow_mut()).poll_flush(cx);
        self.pulse.write(&result);
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        {
            // The last frames, close_notify and the end in one segment.
            let mut stream = self.stream.borrow_mut();
            let (socket, tls) = stream.get_mut();
            socket.begin_end(has_ended(tls));
        }
        ready!(self.poll_leave(cx))?;
        Pin::new(&mut *self.stream.borrow_mut()).poll_shutdown(cx)
    }
}

/// Longest time and most bytes spent on what a client still sends after our last words.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 256 * 1024;

/// Closes the socket so that what was written arrives: closing over unread bytes would send a reset that overtakes it.
pub(crate) async fn close(mut stream: Socket) {
    let linger = async {
        let _ = stream.shutdown().await;
        let mut buffer = vec![0; 4096];
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

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// What a client hears that sends so much before it listens, and whether it was reset, once the socket is closed.
    async fn heard_by_one_that_sends(bytes: usize) -> (Vec<u8>, bool) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut socket = Socket::from(listener.accept().await.unwrap().0);
        socket.write_all(b"last words").await.unwrap();
        let sending = async {
            let sent = client.write_all(&vec![7; bytes]).await.and(client.shutdown().await);
            sent.is_err()
        };
        let ((), unsent) = tokio::join!(close(socket), sending);
        let mut heard = Vec::new();
        let unread = client.read_to_end(&mut heard).await.is_err();
        (heard, unsent || unread || client.take_error().unwrap().is_some())
    }

    #[tokio::test]
    async fn what_a_client_still_sends_is_read_so_that_no_reset_overtakes_the_last_words() {
        for bytes in [0, 1, LINGER_BYTES - 4096] {
            assert_eq!(heard_by_one_that_sends(bytes).await, (b"last words".to_vec(), false), "{bytes}");
        }
    }

    #[tokio::test]
    async fn a_client_that_sends_on_and_on_is_not_read_to_its_end() {
        let (_, reset) = heard_by_one_that_sends(16 * LINGER_BYTES).await;
        assert!(reset);
    }
}
