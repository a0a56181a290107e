//! A TCP socket that asks as little of the kernel as it can.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::net::{SendFlags, send};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// A client's or an upstream's connection.
pub(crate) struct Socket {
    tcp: TcpStream,
    /// What is written is the last, and the end follows at once.
    ending: bool,
    /// The end was said, or is left to the drop.
    ended: bool,
}

impl From<TcpStream> for Socket {
    fn from(tcp: TcpStream) -> Self {
        Self { tcp, ending: false, ended: false }
    }
}

impl Socket {
    /// Resolves when bytes came, or the end.
    pub(crate) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll_read_ready(cx)
    }

    /// What is written from now on leaves in one segment with the end, which the caller says next: by `shutdown`, or
    /// where this is to be `dropped` right away, by that.
    pub(crate) fn begin_end(&mut self, dropped: bool) {
        self.ending = true;
        self.ended |= dropped;
    }

    /// Leaves these with the kernel until more comes, or the end.
    fn poll_send_more(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
        loop {
            ready!(self.tcp.poll_write_ready(cx))?;
            match self.tcp.try_io(Interest::WRITABLE, || Ok(send(&self.tcp, buf, flags)?)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.ending {
            return self.poll_send_more(cx, buf);
        }
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    /// The HTTP and TLS machinery hands over lists, mostly of one piece: `send` has less to do for it than `writev`.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match only(bufs) {
            Some(buf) => self.poll_write(cx, buf),
            None => Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if std::mem::replace(&mut self.ended, true) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// The one piece that is not empty, if there is just one.
fn only<'a>(bufs: &'a [IoSlice<'_>]) -> Option<&'a [u8]> {
    let mut pieces = bufs.iter().filter(|buf| !buf.is_empty());
    let first = pieces.next()?;
    pieces.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Both ends of a connection.
    async fn pair() -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (listener.accept().await.unwrap().0.into(), other)
    }

    async fn heard(mut other: TcpStream) -> Vec<u8> {
        let mut heard = Vec::new();
        other.read_to_end(&mut heard).await.expect("no reset");
        heard
    }

    #[tokio::test]
    async fn what_is_said_at_the_end_arrives_before_it_whether_it_is_shut_or_dropped() {
        for dropped in [false, true] {
            let (mut socket, other) = pair().await;
            socket.write_all(b"an answer, ").await.unwrap();
            socket.begin_end(dropped);
            socket.write_all(b"the last words, ").await.unwrap();
            socket.write_all(b"goodbye").await.unwrap();
            socket.shutdown().await.unwrap();
            // Where it was shut, the other hears the end while the socket is still there.
            let kept = (!dropped).then_some(socket);
            assert_eq!(heard(other).await, b"an answer, the last words, goodbye");
            drop(kept);
        }
    }

    #[tokio::test]
    async fn the_end_is_said_once() {
        let (mut socket, other) = pair().await;
        socket.shutdown().await.unwrap();
        assert_eq!(heard(other).await, b"");
        // The kernel has no connection to end any more, and is not asked.
        socket.shutdown().await.unwrap();
    }

    #[tokio::test]
    async fn last_words_for_which_there_is_no_room_wait_for_it() {
        let (mut socket, other) = pair().await;
        let words = vec![7; 8 << 20];
        socket.begin_end(false);
        let say = async {
            socket.write_all(&words).await.unwrap();
            socket.shutdown().await.unwrap();
        };
        let ((), heard) = tokio::join!(say, heard(other));
        assert!(heard == words, "{} bytes", heard.len());
    }

    #[test]
    fn one_piece_is_the_only_one_whatever_empty_ones_are_beside_it() {
        let of = |pieces: &[&'static str]| {
            let bufs: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece.as_bytes())).collect();
            only(&bufs).map(<[u8]>::to_vec)
        };
        assert_eq!(of(&["head"]), Some(b"head".to_vec()));
        assert_eq!(of(&["", "body", ""]), Some(b"body".to_vec()));
        assert_eq!(of(&["head", "", "body"]), None);
        assert_eq!(of(&["", ""]), None);
        assert_eq!(of(&[]), None);
    }
}
