//! One connection with HTTP/2 on it; requests run side by side.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;

use super::Broken;
use super::connect::within;
use crate::response::Response;

/// One open HTTP/2 connection. All methods take `&self`: join several for concurrent streams.
pub struct H2Conn {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<Result<(), Broken>>,
    authority: String,
}

impl H2Conn {
    pub(super) async fn over(stream: TlsStream<TcpStream>, authority: String) -> Result<Self, Broken> {
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        let driver = tokio::spawn(async move { connection.await.map_err(Broken::from) });
        Ok(Self { sender, driver, authority })
    }

    /// `GET path` at the host connected to.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Result<Response, Broken> {
        self.request("GET", &self.authority, path, headers, b"").await
    }

    /// `GET path` as a client does it that keeps its connections: `None` where the connection takes no more requests, so
    /// that nothing was asked.
    pub async fn get_if_open(&self, path: &str) -> Result<Option<Response>, Broken> {
        let request = Request::get(format!("https://{}{path}", self.authority)).body(Full::default());
        let mut sender = self.sender.clone();
        within("the answer", async move {
            if sender.ready().await.is_err() {
                return Ok(None);
            }
            let answer = match sender.try_send_request(request.expect("a request")).await {
                Ok(answer) => answer,
                Err(mut error) => match error.take_message() {
                    Some(_unsent) => return Ok(None),
                    None => return Err(error.into_error().into()),
                },
            };
            let (parts, body) = answer.into_parts();
            let body = body.collect().await?.to_bytes().to_vec();
            Ok(Some(Response { status: parts.status.as_u16(), headers: Vec::new(), body }))
        })
        .await
    }

    /// Any request, at any authority.
    pub async fn request(
        &self,
        method: &str,
        authority: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Response, Broken> {
        let mut stream = self.start(method, authority, path, headers, body).await?;
        let mut answer = stream.head.clone();
        while let Some(part) = stream.next().await? {
            answer.body.extend_from_slice(&part);
        }
        Ok(answer)
    }

    /// Sends a request and returns once the answer's head is there, its body left to [`H2Stream::next`].
    pub async fn start(
        &self,
        method: &str,
        authority: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<H2Stream, Broken> {
        let mut request = Request::builder().method(method).uri(format!("https://{authority}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body))).expect("a request");
        let mut sender = self.sender.clone();
        within("the answer", async move {
            sender.ready().await?;
            let (parts, body) = sender.send_request(request).await?.into_parts();
            let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
            let head =
                Response { status: parts.status.as_u16(), headers: headers.collect(), body: Vec::new() };
            Ok(H2Stream { head, body })
        })
        .await
    }

    /// Asks for a WebSocket at `path` with an extended CONNECT (RFC 8441); the answer's status, and the bytes behind it
    /// where there are any. One request must have been answered before, so that the server's settings are known.
    pub async fn websocket(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<(u16, Option<impl AsyncRead + AsyncWrite + Unpin + use<>>), Broken> {
        let mut request = Request::connect(format!("https://{}{path}", self.authority))
            .extension(hyper::ext::Protocol::from_static("websocket"))
            .header("sec-websocket-version", "13");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::default()).expect("a request");
        let mut sender = self.sender.clone();
        within("the WebSocket", async move {
            sender.ready().await?;
            let answer = sender.send_request(request).await?;
            let status = answer.status();
            if !status.is_success() {
                return Ok((status.as_u16(), None));
            }
            Ok((status.as_u16(), Some(TokioIo::new(hyper::upgrade::on(answer).await?))))
        })
        .await
    }

    /// Waits for the server to end the connection and tells how; `None` if it is open after `patience`.
    pub async fn ended_within(&mut self, patience: Duration) -> Option<Result<(), Broken>> {
        let ended = tokio::time::timeout(patience, &mut self.driver).await.ok()?;
        Some(ended.unwrap_or_else(|panic| Err(Broken::new(panic.to_string()))))
    }
}

impl Drop for H2Conn {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A running answer.
pub struct H2Stream {
    /// Status and header fields; the body is empty.
    pub head: Response,
    body: Incoming,
}

impl H2Stream {
    /// The next piece of the body; `None` at its end, an error when the stream was reset.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        within("more of the body", async {
            loop {
                match self.body.frame().await {
                    None => return Ok(None),
                    Some(frame) => {
                        if let Ok(data) = frame?.into_data() {
                            return Ok(Some(data));
                        }
                    }
                }
            }
        })
        .await
    }
}
