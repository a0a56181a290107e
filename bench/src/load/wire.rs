//! Requests on a connection: HTTP/1.1 by hand, HTTP/2 by hyper. Anything but a whole 200 of the right length fails.

use std::io::ErrorKind;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{beside, within};
use crate::failure::{Doing, Failure};

/// A connection that speaks HTTP/1.1.
pub struct Wire {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
}

/// What sends requests on a connection that speaks HTTP/2.
pub type H2Sender = SendRequest<Empty<Bytes>>;

impl Wire {
    /// Nothing is asked yet.
    pub fn over(stream: TlsStream<TcpStream>) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// Sends `request` and reads the answer, whose body must have this length.
    pub async fn get(&mut self, request: &[u8], length: usize) -> Result<(), Failure> {
        let (status, head, body) = self.ask(request, false).await?;
        if status != 200 || body.0 != length {
            return Err(Failure::new(format!("expected 200 and {length} bytes, got {} of\n{head}", body.0)));
        }
        Ok(())
    }

    /// Sends `request` and reads status and body.
    pub async fn read(&mut self, request: &[u8]) -> Result<(u16, String), Failure> {
        let (status, _, body) = self.ask(request, true).await?;
        Ok((status, String::from_utf8_lossy(&body.1).into_owned()))
    }

    /// Says goodbye and waits for the server's end. An alert instead is a refusal.
    pub async fn close(mut self) -> Result<(), Failure> {
        within("the end of the connection", async {
            self.stream.shutdown().await.doing("goodbye")?;
            let mut rest = [0; 512];
            match self.stream.read(&mut rest).await {
                Ok(0) => self.no_tickets(),
                Ok(_) => Err(Failure::new("the server said more than was asked")),
                // The end without a goodbye.
                Err(why) if why.kind() == ErrorKind::UnexpectedEof => self.no_tickets(),
                Err(why) => Err(why).doing("the end of the connection"),
            }
        })
        .await
    }

    /// Resumption would be other work.
    fn no_tickets(&self) -> Result<(), Failure> {
        match self.stream.get_ref().1.tls13_tickets_received() {
            0 => Ok(()),
            some => Err(Failure::new(format!("the server sent {some} session tickets"))),
        }
    }

    /// Status, head, and length of the body, with the body itself where it is to be kept.
    async fn ask(&mut self, request: &[u8], keep: bool) -> Result<(u16, String, (usize, Vec<u8>)), Failure> {
        let Self { stream, buffer } = self;
        within("the answer", async {
            stream.write_all(request).await.doing("request")?;
            stream.flush().await.doing("request")?;
            buffer.clear();
            let end = loop {
                if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                    break end + 4;
                }
                buffer.reserve(64 * 1024);
                if stream.read_buf(buffer).await.doing("answer")? == 0 {
                    return Err(Failure::new("the connection ended before the answer"));
                }
            };
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let (status, length) = parse(&head)?;
            let mut seen = buffer.len() - end;
            let mut body = if keep { buffer[end..].to_vec() } else { Vec::new() };
            while seen < length {
                buffer.clear();
                let more = stream.read_buf(buffer).await.doing("body")?;
                if more == 0 {
                    return Err(Failure::new("the connection ended within the body"));
                }
                seen += more;
                if keep {
                    body.extend_from_slice(buffer);
                }
            }
            if seen > length {
                return Err(Failure::new("more bytes than the answer has"));
            }
            Ok((status, head, (length, body)))
        })
        .await
    }
}

/// Starts HTTP/2.
pub async fn h2(stream: TlsStream<TcpStream>) -> Result<H2Sender, Failure> {
    let (sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.doing("HTTP/2")?;
    // Its failure reaches whoever waits for an answer.
    beside(async { drop(connection.await) });
    Ok(sender)
}

/// One request on a stream of its own.
pub async fn get_h2(sender: &mut H2Sender, url: String, length: usize) -> Result<(), Failure> {
    within("the answer", async {
        sender.ready().await.doing("HTTP/2")?;
        let request = Request::get(url).header("user-agent", "bench").header("accept", "*/*");
        let request = request.body(Empty::new()).doing("request")?;
        let response = sender.send_request(request).await.doing("answer")?;
        let status = response.status();
        let mut body = response.into_body();
        let mut seen = 0;
        while let Some(frame) = body.frame().await {
            seen += frame.doing("body")?.data_ref().map_or(0, Bytes::len);
        }
        if status != StatusCode::OK || seen != length {
            return Err(Failure::new(format!("expected 200 and {length} bytes, got {status} and {seen}")));
        }
        Ok(())
    })
    .await
}

/// Status and Content-Length.
fn parse(head: &str) -> Result<(u16, usize), Failure> {
    let wrong = || Failure::new(format!("not an answer with a length:\n{head}"));
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let named = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    };
    Ok((status.ok_or_else(wrong)?, head.lines().find_map(named).ok_or_else(wrong)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_length_are_read_from_the_head() {
        let head = "HTTP/1.1 200 OK\r\nserver: x\r\ncontent-LENGTH: 12\r\n\r\n";
        assert_eq!(parse(head).ok(), Some((200, 12)));
        assert!(parse("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(parse("HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\n").is_err());
    }
}
