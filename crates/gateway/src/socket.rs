//! A TCP socket that asks as little of the kernel as it can.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A client's or an upstream's connection.
pub(crate) struct Socket {
    tcp: TcpStream,
}

impl From<TcpStream> for Socket {
    fn from(tcp: TcpStream) -> Self {
        Self { tcp }
    }
}

impl Socket {
    /// Resolves when bytes came, or the end.
    pub(crate) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll_read_ready(cx)
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
    use super::*;

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
