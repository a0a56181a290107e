//! A connection that ends after so many bytes, whatever the server goes on to send.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream of which at most so many bytes are read.
pub struct Bounded<S> {
    stream: S,
    left: usize,
}

impl<S> Bounded<S> {
    /// The stream, of which `most` bytes are read.
    pub fn new(stream: S, most: usize) -> Self {
        Self { stream, left: most }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            let what = "the server sends more than a handshake may have";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::FileTooLarge, what)));
        }
        let most = self.left.min(buf.remaining());
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(most));
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        buf.advance(read);
        self.left -= read;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[test]
    fn the_last_byte_is_read_and_none_after_it() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut whole = Vec::new();
            Bounded::new(&b"abc"[..], 4).read_to_end(&mut whole).await.unwrap();
            assert_eq!(whole, b"abc");
            let mut cut = Vec::new();
            let error = Bounded::new(&b"abcde"[..], 4).read_to_end(&mut cut).await.unwrap_err();
            assert_eq!((error.kind(), cut.as_slice()), (io::ErrorKind::FileTooLarge, &b"abcd"[..]));
        });
    }
}
