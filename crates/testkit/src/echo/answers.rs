//! What the echo upstream answers to which path.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Sleep;

use super::{Journal, Running, Seen};

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// Serves HTTP/1.1 on one connection until it ends.
pub(super) async fn serve(socket: TcpStream, journal: Arc<Journal>) {
    let answer = service_fn(move |request| answer(request, journal.clone()));
    let mut http = hyper::server::conn::http1::Builder::new();
    // What the gate lets through, and what it adds.
    http.max_headers(200).max_header_size(128 * 1024);
    // However a client goes away is the test's own doing.
    let _ = http.serve_connection(TokioIo::new(socket), answer).with_upgrades().await;
}

async fn answer(mut request: Request<Incoming>, journal: Arc<Journal>) -> Result<Answer, hyper::Error> {
    let mut seen = head_of(&request);
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    if request.headers().contains_key(http::header::UPGRADE) {
        journal.record(seen);
        let waiting = hyper::upgrade::on(&mut request);
        let running = journal.stream();
        tokio::task::spawn_local(return_bytes(waiting, running));
        return Ok(switching(&request));
    }
    match path.as_str() {
        "/slow-stream" => {
            journal.record(seen);
            let pause = Duration::from_millis(number(&query, "ms", 100));
            let mut next = 0;
            let last = number(&query, "chunks", 10);
            let line = move || {
                next += 1;
                (next <= last).then(|| Bytes::from(format!("chunk {next}\n")))
            };
            return Ok(plain(Paced::new(Box::new(line), Some(pause), journal.stream())));
        }
        "/bytes" => {
            journal.record(seen);
            let n = number(&query, "n", 0);
            let block = Bytes::from(vec![b'x'; 64 * 1024]);
            let mut left = n;
            let part = move || {
                let size = left.min(block.len() as u64);
                left -= size;
                (size > 0).then(|| block.slice(..size as usize))
            };
            let mut answer = plain(Paced::new(Box::new(part), None, journal.stream()));
            answer.headers_mut().insert(http::header::CONTENT_LENGTH, n.into());
            return Ok(answer);
        }
        _ => {}
    }
    read_body(request.into_body(), &mut seen).await?;
    journal.record(seen.clone());
    if path == "/sink" {
        return Ok(json(200, serde_json::json!({ "body_len": seen.body_len }).to_string()));
    }
    let status = path.strip_prefix("/status/").and_then(|code| code.parse().ok()).unwrap_or(200);
    Ok(json(status, serde_json::to_string(&seen).expect("plain data")))
}

fn head_of(request: &Request<Incoming>) -> Seen {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Seen {
        method: request.method().to_string(),
        target: request.uri().to_string(),
        headers: request.headers().iter().map(|(n, v)| (n.to_string(), text(v.as_bytes()))).collect(),
        ..Seen::default()
    }
}

async fn read_body(mut body: Incoming, seen: &mut Seen) -> Result<(), hyper::Error> {
    let mut start = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame?.data_ref() {
            seen.body_len += data.len() as u64;
            start.extend_from_slice(&data[..data.len().min(4096 - start.len())]);
        }
    }
    seen.body = String::from_utf8_lossy(&start).into_owned();
    Ok(())
}

/// The number `name=…` in a query.
fn number(query: &str, name: &str, default: u64) -> u64 {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(n, _)| *n == name).find_map(|(_, value)| value.parse().ok()).unwrap_or(default)
}

fn json(status: u16, text: String) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut answer = Response::new(Full::new(Bytes::from(text + "\n")).boxed_unsync());
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    answer
}

fn plain(body: Paced) -> Answer {
    let mut answer = Response::new(body.boxed_unsync());
    answer.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("text/plain"));
    answer
}

fn switching(request: &Request<Incoming>) -> Answer {
    let mut answer = Response::new(Full::default().boxed_unsync());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(http::header::CONNECTION, http::HeaderValue::from_static("upgrade"));
    if let Some(protocol) = request.headers().get(http::header::UPGRADE) {
        headers.insert(http::header::UPGRADE, protocol.clone());
    }
    if let Some(key) = request.headers().get(http::header::SEC_WEBSOCKET_KEY) {
        // RFC 6455 section 4.2.2 fixes SHA-1 and this text.
        let proof = [key.as_bytes(), b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &proof);
        let accept = data_encoding::BASE64.encode(digest.as_ref());
        headers.insert(http::header::SEC_WEBSOCKET_ACCEPT, accept.parse().expect("base64"));
    }
    answer
}

async fn return_bytes(waiting: hyper::upgrade::OnUpgrade, _running: Running) {
    let Ok(upgraded) = waiting.await else { return };
    let (mut from, mut to) = tokio::io::split(TokioIo::new(upgraded));
    let _ = tokio::io::copy(&mut from, &mut to).await;
    let _ = tokio::io::AsyncWriteExt::shutdown(&mut to).await;
}

/// A body made piece by piece, with a pause before each.
struct Paced {
    next: Box<dyn FnMut() -> Option<Bytes> + Send>,
    pause: Option<(Duration, Pin<Box<Sleep>>)>,
    _running: Running,
}

impl Paced {
    fn new(
        next: Box<dyn FnMut() -> Option<Bytes> + Send>,
        pause: Option<Duration>,
        running: Running,
    ) -> Self {
        let pause = pause.map(|pause| (pause, Box::pin(tokio::time::sleep(Duration::ZERO))));
        Self { next, pause, _running: running }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some((pause, sleep)) = &mut self.pause {
            ready!(sleep.as_mut().poll(cx));
            let next = tokio::time::Instant::now() + *pause;
            sleep.as_mut().reset(next);
        }
        Poll::Ready((self.next)().map(|bytes| Ok(Frame::data(bytes))))
    }
}
