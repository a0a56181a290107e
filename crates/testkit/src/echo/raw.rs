//! An upstream that records the exact bytes it receives and answers each request with a fixed 200.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::server::Server;

const FIXED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok";

/// What a PROXY header of version 2 begins with.
const PROXY_V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

type Connections = Arc<Mutex<Vec<Vec<u8>>>>;

/// Records what a gate really sends: header spelling, framing, anything smuggled along.
///
/// It reads what comes and answers once for each request it finds (by Content-Length or chunked framing), a PROXY
/// header of version 2 before the first one skipped; bytes it cannot frame are recorded all the same.
pub struct RawUpstream {
    server: Server,
    connections: Connections,
}

impl RawUpstream {
    /// Starts on a free port, answering 200 with the body `ok`.
    pub fn start() -> Self {
        Self::answering(FIXED)
    }

    /// Starts on a free port, answering each request with these bytes.
    pub fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let connections = Connections::default();
        let shared = connections.clone();
        let answer: Arc<[u8]> = answer.into().into();
        let server = Server::start(0, move |socket| record(socket, shared.clone(), answer.clone()));
        Self { server, connections }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Connections it has accepted.
    pub fn connections(&self) -> u64 {
        self.server.accepted()
    }

    /// All bytes received, one entry a connection.
    pub fn received(&self) -> Vec<Vec<u8>> {
        lock(&self.connections).clone()
    }

    /// All bytes received on all connections as text, invalid UTF-8 replaced.
    pub fn text(&self) -> String {
        self.received().iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }

    /// The text once it contains `wanted`; panics with what came when it does not within a minute.
    #[track_caller]
    pub fn wait_for(&self, wanted: &str) -> String {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let text = self.text();
            if text.contains(wanted) {
                return text;
            }
            assert!(Instant::now() < end, "`{wanted}` did not reach the upstream; it got:\n{text}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

async fn record(mut socket: TcpStream, connections: Connections, answer: Arc<[u8]>) {
    let index = {
        let mut all = lock(&connections);
        all.push(Vec::new());
        all.len() - 1
    };
    let mut pending = Vec::new();
    let mut block = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = socket.read(&mut block).await {
        lock(&connections)[index].extend_from_slice(&block[..length]);
        pending.extend_from_slice(&block[..length]);
        while let Some(end) = first_request(&pending) {
            pending.drain(..end);
            if socket.write_all(&answer).await.is_err() {
                return;
            }
        }
    }
}

/// Where the first whole request in `bytes` ends.
fn first_request(bytes: &[u8]) -> Option<usize> {
    if let Some(rest) = bytes.strip_prefix(PROXY_V2) {
        // Its length stands behind version and family; the first request follows.
        let length = 16 + usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]));
        return Some(length + first_request(bytes.get(length..)?)?);
    }
    let head_end = position(bytes, b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..head_end]).to_ascii_lowercase();
    let field = |name: &str| head.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()));
    if field("transfer-encoding:").is_some() {
        return Some(head_end + chunked_end(&bytes[head_end..])?);
    }
    let length = field("content-length:").and_then(|text| text.parse().ok()).unwrap_or(0);
    (bytes.len() >= head_end + length).then_some(head_end + length)
}

/// Where a chunked body that begins here ends, its trailers included (RFC 9112 section 7.1); a chunk's bytes are skipped
/// whatever they look like. None where it isn't whole, or is none.
pub fn chunked_end(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = body.get(at..)?;
        let line = &line[..position(line, b"\r\n")?];
        let size = std::str::from_utf8(line).ok()?.split(';').next()?;
        let size = usize::from_str_radix(size, 16).ok()?;
        at += line.len() + 2;
        if size == 0 {
            return Some(at + trailer(&body[at..])?);
        }
        at = at.checked_add(size)?.checked_add(2)?;
    }
}

/// Length of a trailer section with its empty line.
fn trailer(bytes: &[u8]) -> Option<usize> {
    if bytes.starts_with(b"\r\n") {
        return Some(2);
    }
    Some(position(bytes, b"\r\n\r\n")? + 4)
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn lock(connections: &Connections) -> MutexGuard<'_, Vec<Vec<u8>>> {
    connections.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_end_where_their_framing_says() {
        let plain = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let sized = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
        let chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n";

        let inside = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n";

        for whole in [plain.as_slice(), sized, chunked, inside] {
            assert_eq!(first_request(&[whole, b"GET"].concat()), Some(whole.len()));
            assert_eq!(first_request(&whole[..whole.len() - 1]), None);
        }
    }
}
