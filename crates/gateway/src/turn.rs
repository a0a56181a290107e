//! What one turn of an HTTP/2 connection says, held so that it leaves together.
//!
//! The HTTP machinery writes and flushes each DATA frame by itself: four answers that are ready at once would be four TLS
//! records (RFC 8446 section 5.1), four system calls and four segments. Held to the end of the turn they are one of each.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use crate::io::Line;

/// Most bytes that are held: what a TLS record has room for. More than that gains nothing by waiting.
const MOST: usize = 16 * 1024;

/// Bytes that wait for the end of the turn.
#[derive(Default)]
pub(crate) struct Held {
    bytes: Vec<u8>,
    /// So many of them went on.
    gone: usize,
    /// Something went on that may not have left yet.
    unflushed: bool,
    /// Why nothing can be sent any more.
    broken: Option<io::ErrorKind>,
}

impl Held {
    /// Takes these if there is room; otherwise they have to go on by themselves, behind what is held.
    pub(crate) fn take(&mut self, parts: &[IoSlice<'_>]) -> Option<usize> {
        let count = parts.iter().map(|part| part.len()).sum();
        if self.bytes.len() + count > MOST {
            return None;
        }
        self.bytes.reserve(count);
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        Some(count)
    }

    /// Has what is held go on, so that others can follow.
    pub(crate) fn poll_go_on(
        &mut self,
        mut to: Pin<&mut impl AsyncWrite>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.unflushed = true;
        while self.gone < self.bytes.len() {
            match ready!(to.as_mut().poll_write(cx, &self.bytes[self.gone..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.gone += count,
            }
        }
        // An idle connection holds no room.
        (self.bytes, self.gone) = (Vec::new(), 0);
        Poll::Ready(Ok(()))
    }

    /// Has all of it leave. What fails here is told to whoever writes or flushes next, and here once.
    pub(crate) fn poll_leave(
        &mut self,
        mut to: Pin<&mut impl AsyncWrite>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.broken.is_some() || (self.bytes.is_empty() && !self.unflushed) {
            return Poll::Ready(Ok(()));
        }
        let left = ready!(self.poll_go_on(to.as_mut(), cx)).map(|()| to.poll_flush(cx));
        let result = match left {
            Ok(flushed) => ready!(flushed),
            Err(error) => Err(error),
        };
        match &result {
            Ok(()) => self.unflushed = false,
            Err(error) => self.broken = Some(error.kind()),
        }
        Poll::Ready(result)
    }

    /// What broke the connection.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.broken.map_or(Ok(()), |kind| Err(kind.into()))
    }
}

/// An HTTP/2 connection whose turns end with what they said.
pub(crate) struct Turns<'a, C> {
    pub(crate) connection: Pin<&'a mut C>,
    pub(crate) line: Line,
}

impl<C: Future> Future for Turns<'_, C> {
    type Output = C::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<C::Output> {
        let polled = self.connection.as_mut().poll(cx);
        if let Poll::Ready(Err(_)) = self.line.poll_leave(cx)
            && polled.is_pending()
        {
            // The machinery learns of it by flushing, which each of its turns does.
            cx.waker().wake_by_ref();
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A socket that takes so much at once, and says how often it was asked.
    struct Socket {
        room: usize,
        writes: Vec<usize>,
        got: Vec<u8>,
        flushes: usize,
        fails: bool,
    }

    impl Socket {
        fn with_room(room: usize) -> Self {
            Self { room, writes: Vec::new(), got: Vec::new(), flushes: 0, fails: false }
        }
    }

    impl AsyncWrite for Socket {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            if self.fails {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            let count = bytes.len().min(self.room);
            if count == 0 {
                return Poll::Pending;
            }
            self.room -= count;
            self.writes.push(count);
            self.got.extend_from_slice(&bytes[..count]);
            Poll::Ready(Ok(count))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.flushes += 1;
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn cx() -> Context<'static> {
        Context::from_waker(std::task::Waker::noop())
    }

    fn leave(held: &mut Held, socket: &mut Socket) -> Poll<Result<(), io::ErrorKind>> {
        held.poll_leave(Pin::new(socket), &mut cx()).map_err(|error| error.kind())
    }

    #[test]
    fn what_a_turn_says_leaves_in_one_piece_and_in_order() {
        let (mut held, mut socket) = (Held::default(), Socket::with_room(usize::MAX));
        for part in [&b"head"[..], b"one", b"two", b"three"] {
            assert_eq!(held.take(&[IoSlice::new(part)]), Some(part.len()));
        }
        assert!(socket.got.is_empty());
        assert_eq!(leave(&mut held, &mut socket), Poll::Ready(Ok(())));
        assert_eq!(
            (socket.got.as_slice(), socket.writes.len(), socket.flushes),
            (&b"headonetwothree"[..], 1, 1)
        );
    }

    #[test]
    fn a_turn_that_said_nothing_asks_nothing_of_the_socket() {
        let (mut held, mut socket) = (Held::default(), Socket::with_room(usize::MAX));
        held.take(&[IoSlice::new(b"answer")]);
        assert_eq!(leave(&mut held, &mut socket), Poll::Ready(Ok(())));
        assert_eq!(leave(&mut held, &mut socket), Poll::Ready(Ok(())));
        assert_eq!((socket.writes.len(), socket.flushes), (1, 1));
    }

    #[test]
    fn a_record_is_held_and_a_byte_more_is_not() {
        let mut held = Held::default();
        let record = vec![7; MOST];
        assert_eq!(held.take(&[IoSlice::new(&record)]), Some(MOST));
        assert_eq!(held.take(&[IoSlice::new(&[7])]), None);
        let (mut held, long) = (Held::default(), vec![7; MOST + 1]);
        assert_eq!(held.take(&[IoSlice::new(&long)]), None);
    }

    #[test]
    fn what_has_no_room_goes_behind_what_is_held() {
        let (mut held, mut socket) = (Held::default(), Socket::with_room(usize::MAX));
        held.take(&[IoSlice::new(b"first")]);
        assert!(held.poll_go_on(Pin::new(&mut socket), &mut cx()).is_ready());
        assert_eq!(socket.got, b"first");
        // What went on by itself is flushed with the turn as well.
        assert_eq!((leave(&mut held, &mut socket), socket.flushes), (Poll::Ready(Ok(())), 1));
    }

    #[test]
    fn a_socket_without_room_is_waited_for_and_nothing_is_said_twice() {
        let (mut held, mut socket) = (Held::default(), Socket::with_room(4));
        held.take(&[IoSlice::new(b"answer")]);
        assert_eq!(leave(&mut held, &mut socket), Poll::Pending);
        held.take(&[IoSlice::new(b"!")]);
        socket.room = 10;
        assert_eq!(leave(&mut held, &mut socket), Poll::Ready(Ok(())));
        assert_eq!(socket.got, b"answer!");
    }

    #[test]
    fn a_broken_socket_is_told_of_once_here_and_ever_after_to_who_writes() {
        let (mut held, mut socket) = (Held::default(), Socket::with_room(4));
        socket.fails = true;
        held.take(&[IoSlice::new(b"answer")]);
        assert!(held.check().is_ok());
        assert_eq!(leave(&mut held, &mut socket), Poll::Ready(Err(io::ErrorKind::BrokenPipe)));
        assert_eq!(leave(&mut held, &mut socket), Poll::Ready(Ok(())));
        assert_eq!(held.check().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
