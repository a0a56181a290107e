//! One connection with HTTP/1.1 on it, down to the single byte.

use std::time::Duration;

use rustls::ProtocolVersion;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::Broken;
use super::connect::within;
use crate::response::{Response, find, parse_head};

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// One open connection; requests follow one another on it.
pub struct Conn {
    io: Box<dyn Io>,
    host: String,
    buffer: Vec<u8>,
    version: Option<u16>,
    alpn: Option<Vec<u8>>,
    server_chain: Vec<Vec<u8>>,
}

impl Conn {
    /// A connection without TLS to 127.0.0.1:`port`; `host` is what requests name by default.
    pub async fn plain(port: u16, host: &str) -> Result<Self, Broken> {
        let io = Box::new(TcpStream::connect(("127.0.0.1", port)).await?);
        let host = host.to_owned();
        Ok(Self { io, host, buffer: Vec::new(), version: None, alpn: None, server_chain: Vec::new() })
    }

    pub(super) fn over_tls(stream: TlsStream<TcpStream>, host: String) -> Self {
        let session = stream.get_ref().1;
        let version = session.protocol_version().map(|v: ProtocolVersion| u16::from(v));
        let alpn = session.alpn_protocol().map(<[u8]>::to_vec);
        let chain = session.peer_certificates().unwrap_or_default();
        let server_chain = chain.iter().map(|der| der.to_vec()).collect();
        Self { io: Box::new(stream), host, buffer: Vec::new(), version, alpn, server_chain }
    }

    /// The TLS version, 0x0303 for 1.2 and 0x0304 for 1.3.
    pub fn version(&self) -> Option<u16> {
        self.version
    }

    /// The protocol the server chose, if any.
    pub fn alpn(&self) -> Option<String> {
        self.alpn.as_ref().map(|name| String::from_utf8_lossy(name).into_owned())
    }

    /// The server's certificates as sent, DER.
    pub fn server_chain(&self) -> &[Vec<u8>] {
        &self.server_chain
    }

    /// `GET path`; a `host` among `headers` replaces the one connected to.
    pub async fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Result<Response, Broken> {
        self.request("GET", path, headers, b"").await
    }

    /// Any request; a body brings its Content-Length unless `headers` frame it.
    pub async fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Response, Broken> {
        self.send_request(method, path, headers, body).await?;
        let head = self.read_head().await?;
        self.read_body(head, method == "HEAD").await
    }

    /// Sends a request and reads no answer; see [`Conn::read_head`] and [`Conn::read_some`].
    pub async fn send_request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<(), Broken> {
        let given = |name: &str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        let mut text = format!("{method} {path} HTTP/1.1\r\n");
        if !given("host") {
            text += &format!("Host: {}\r\n", self.host);
        }
        if !body.is_empty() && !given("content-length") && !given("transfer-encoding") {
            text += &format!("Content-Length: {}\r\n", body.len());
        }
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        let mut bytes = (text + "\r\n").into_bytes();
        bytes.extend_from_slice(body);
        self.send_raw(&bytes).await
    }

    /// Sends these bytes as they are.
    ///
    /// A server that has already answered and closed is no failure here: the next read tells what it said.
    pub async fn send_raw(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        within("sending", async {
            match async { self.io.write_all(bytes).await.and(self.io.flush().await) }.await {
                Err(error) if !closed_by_peer(&error) => Err(error.into()),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Ends the sending side (close_notify, then FIN).
    pub async fn finish(&mut self) -> Result<(), Broken> {
        Ok(self.io.shutdown().await?)
    }

    /// The next head: status and fields, body left unread. An informational 1xx other than 101 is skipped.
    pub async fn read_head(&mut self) -> Result<Response, Broken> {
        loop {
            let end = loop {
                if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                    break at + 4;
                }
                if self.fill("the answer's head").await? == 0 {
                    let got = String::from_utf8_lossy(&self.buffer);
                    return Err(Broken::new(format!("closed before the answer's head: `{got}`")));
                }
            };
            let head: Vec<u8> = self.buffer.drain(..end).collect();
            let head = String::from_utf8_lossy(&head);
            let Some((status, headers)) = parse_head(head.trim_end()) else {
                return Err(Broken::new(format!("no HTTP answer: `{head}`")));
            };
            if status == 101 || status >= 200 {
                return Ok(Response { status, headers, body: Vec::new() });
            }
        }
    }

    /// The bytes that come next, at least one; empty at the end of the connection.
    pub async fn read_some(&mut self) -> Result<Vec<u8>, Broken> {
        if self.buffer.is_empty() {
            self.fill("more bytes").await?;
        }
        Ok(std::mem::take(&mut self.buffer))
    }

    /// Everything until the connection ends.
    pub async fn read_to_end(&mut self) -> Result<Vec<u8>, Broken> {
        while self.fill("the end of the connection").await? > 0 {}
        Ok(std::mem::take(&mut self.buffer))
    }

    /// Waits for the server to end the connection: the bytes that still came and how it ended; `None` if it is
    /// open after `patience`.
    pub async fn ended_within(&mut self, patience: Duration) -> Option<(Vec<u8>, Result<(), Broken>)> {
        let end = async {
            loop {
                match self.fill("the end").await {
                    Ok(0) => return Ok(()),
                    Ok(_) => {}
                    Err(broken) => return Err(broken),
                }
            }
        };
        let ended = tokio::time::timeout(patience, end).await.ok()?;
        Some((std::mem::take(&mut self.buffer), ended))
    }

    async fn read_body(&mut self, mut answer: Response, head_only: bool) -> Result<Response, Broken> {
        let coding = find(&answer.headers, "transfer-encoding").unwrap_or_default().to_ascii_lowercase();
        let length = find(&answer.headers, "content-length").and_then(|text| text.parse().ok());
        answer.body = match (answer.status, length) {
            (101 | 204 | 304, _) => Vec::new(),
            _ if head_only => Vec::new(),
            _ if coding.contains("chunked") => self.read_chunks().await?,
            (_, Some(length)) => self.take(length).await?,
            (_, None) => self.read_to_end().await?,
        };
        Ok(answer)
    }

    async fn read_chunks(&mut self) -> Result<Vec<u8>, Broken> {
        let mut body = Vec::new();
        loop {
            let line = self.line().await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16)
                .map_err(|_| Broken::new(format!("`{line}` is no chunk size")))?;
            if size == 0 {
                while !self.line().await?.is_empty() {}
                return Ok(body);
            }
            body.extend(self.take(size).await?);
            self.line().await?;
        }
    }

    async fn line(&mut self) -> Result<String, Broken> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..at + 2).collect();
                return Ok(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            if self.fill("a line").await? == 0 {
                return Err(Broken::new("closed in the middle of a chunked body"));
            }
        }
    }

    async fn take(&mut self, length: usize) -> Result<Vec<u8>, Broken> {
        while self.buffer.len() < length {
            if self.fill("the body").await? == 0 {
                let got = self.buffer.len();
                return Err(Broken::new(format!("closed after {got} of {length} bytes of the body")));
            }
        }
        Ok(self.buffer.drain(..length).collect())
    }

    /// Reads once into the buffer; 0 at the end.
    async fn fill(&mut self, what: &str) -> Result<usize, Broken> {
        let Self { io, buffer, .. } = self;
        within(what, async { Ok(io.read_buf(buffer).await?) }).await
    }
}

fn closed_by_peer(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected};
    matches!(error.kind(), BrokenPipe | ConnectionReset | NotConnected)
}
