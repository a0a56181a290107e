//! A WebSocket after its handshake: bytes both ways between exactly one client and one upstream connection, through
//! two fixed buffers, until one side ends, nothing moves for too long, or admission is lost.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::Instant;

use super::websocket::{Frames, GOING_AWAY, POLICY_VIOLATION, close_frame};
use crate::exchange::Exchange;
use crate::live::{Cancelled, Cut};

/// Bytes held of each direction.
const BUFFER: usize = 16 * 1024;
/// How long the rest of a frame is waited for, so that the close frame stands at its end.
const LAST_FRAME: Duration = Duration::from_millis(400);

/// A WebSocket that both sides agreed to.
pub(crate) struct Tunnel {
    exchange: Exchange,
    cancelled: Cancelled,
    upstream: OnUpgrade,
}

impl Tunnel {
    /// `exchange` ends with it; `cancelled` resolves when it loses admission.
    pub(crate) fn new(exchange: Exchange, cancelled: Cancelled, upstream: OnUpgrade) -> Self {
        Self { exchange, cancelled, upstream }
    }

    /// Carries bytes until the end; `early` came from the client behind its handshake.
    pub(crate) async fn run<C: AsyncRead + AsyncWrite + Unpin>(mut self, client: C, early: Bytes) {
        let Ok(upstream) = self.upstream.await else { return };
        let visit = self.exchange.visit().clone();
        let idle = visit.worker.shared.limits.websocket_idle;
        let mut phase = visit.worker.shared.life.subscribe();
        let mut relay = Relay::new(Early { early, io: client }, TokioIo::new(upstream));
        let code = tokio::select! {
            biased;
            () = &mut self.cancelled => Some(POLICY_VIOLATION),
            _ = phase.wait_for(|phase| phase.hurries()) => Some(GOING_AWAY),
            // On HTTP/2 whoever drives the connection hears of its end.
            () = cut(&visit), if !visit.http2 => None,
            _ = relay.run(idle) => None,
        };
        if let Some(code) = code {
            let _ = tokio::time::timeout(LAST_FRAME, relay.close(code)).await;
        }
        self.exchange.passed(relay.down.moved);
    }
}

/// Resolves when the whole connection is to end.
async fn cut(visit: &crate::serve::Visit) {
    while visit.live.cut().await != Some(Cut::Everything) {}
}

/// One direction.
struct Way {
    buffer: Box<[u8]>,
    /// What of it is not passed on yet.
    from: usize,
    to: usize,
    unflushed: bool,
    ended: bool,
    shut: bool,
    moved: u64,
}

struct Relay<C, U> {
    client: C,
    upstream: U,
    up: Way,
    down: Way,
    /// What the client was told.
    frames: Frames,
    last: Instant,
}

impl<C, U> Relay<C, U>
where
    C: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
{
    fn new(client: C, upstream: U) -> Self {
        let (up, down) = (Way::new(), Way::new());
        Self { client, upstream, up, down, frames: Frames::default(), last: Instant::now() }
    }

    /// Carries both ways until both have ended, one breaks, or nothing moves for `idle`. Can be left at any moment.
    async fn run(&mut self, idle: Duration) -> io::Result<()> {
        let mut silence = std::pin::pin!(tokio::time::sleep(idle));
        std::future::poll_fn(|cx| {
            let before = self.up.moved + self.down.moved;
            let up = self.up.poll(cx, &mut self.client, &mut self.upstream, |_| {});
            let frames = &mut self.frames;
            let down = self.down.poll(cx, &mut self.upstream, &mut self.client, |passed| frames.take(passed));
            if self.up.moved + self.down.moved != before {
                self.last = Instant::now();
            }
            if let Poll::Ready(Err(error)) = up {
                return Poll::Ready(Err(error));
            }
            if let Poll::Ready(Err(error)) = down {
                return Poll::Ready(Err(error));
            }
            if self.up.shut && self.down.shut {
                return Poll::Ready(Ok(()));
            }
            // A later end is found when the timer fires.
            while silence.as_mut().poll(cx).is_ready() {
                if self.last.elapsed() >= idle {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                silence.as_mut().reset(self.last + idle);
            }
            Poll::Pending
        })
        .await
    }

    /// Nothing more for the upstream; for the client the rest of the frame that is under way, and a close frame.
    async fn close(&mut self, code: u16) -> io::Result<()> {
        while !self.frames.is_at_end() {
            if self.down.from == self.down.to {
                (self.down.from, self.down.to) = (0, self.upstream.read(&mut self.down.buffer).await?);
                if self.down.to == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            let held = &self.down.buffer[self.down.from..self.down.to];
            let rest = self.frames.take_rest(held);
            self.client.write_all(&held[..rest]).await?;
            self.down.from += rest;
            self.down.moved += rest as u64;
        }
        if !self.frames.has_closed() {
            self.client.write_all(&close_frame(code)).await?;
        }
        self.client.flush().await?;
        self.client.shutdown().await
    }
}

impl Way {
    fn new() -> Self {
        let buffer = vec![0; BUFFER].into();
        Self { buffer, from: 0, to: 0, unflushed: false, ended: false, shut: false, moved: 0 }
    }

    /// Ready when this direction has ended and the other side was told so.
    fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
        writer: &mut W,
        mut passed: impl FnMut(&[u8]),
    ) -> Poll<io::Result<()>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        while !self.shut {
            while self.from < self.to {
                let held = &self.buffer[self.from..self.to];
                let written = ready!(Pin::new(&mut *writer).poll_write(cx, held))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                passed(&held[..written]);
                self.from += written;
                self.moved += written as u64;
                self.unflushed = true;
            }
            if self.ended {
                ready!(Pin::new(&mut *writer).poll_shutdown(cx))?;
                self.shut = true;
                break;
            }
            let mut space = ReadBuf::new(&mut self.buffer);
            match Pin::new(&mut *reader).poll_read(cx, &mut space)? {
                Poll::Ready(()) => {
                    (self.from, self.to) = (0, space.filled().len());
                    self.ended = self.to == 0;
                }
                Poll::Pending => {
                    if self.unflushed {
                        ready!(Pin::new(&mut *writer).poll_flush(cx))?;
                        self.unflushed = false;
                    }
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// A connection of which some bytes were read already.
struct Early<C> {
    early: Bytes,
    io: C,
}

impl<C: AsyncRead + Unpin> AsyncRead for Early<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        space: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.early.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, space);
        }
        let length = self.early.len().min(space.remaining());
        space.put_slice(&self.early[..length]);
        self.early.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Early<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
