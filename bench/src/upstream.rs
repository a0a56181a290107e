//! The website behind every server: a process of its own that answers as cheaply as it can.
//!
//! `/1k`, `/1m`, `/100m`: bodies of that size. `/identity`: the identity header that came, or 500. `/held`: half a body
//! now, the other half when somebody asks for `/release`.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream as StdTcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::cores::Cores;
use crate::failure::{Doing, Failure};

const MIB: usize = 1024 * 1024;
/// Bytes of a held body.
pub const HELD: usize = 32;
/// Where the servers say who the visitor is.
const IDENTITY: [&str; 2] = ["client-cert:", "x-forwarded-client-cert:"];

/// The running process; ended when dropped.
pub struct Upstream {
    child: Child,
    /// Its port of 127.0.0.1.
    pub port: u16,
}

impl Upstream {
    /// Starts it and waits until it accepts.
    pub fn start(cores: &Cores) -> Result<Self, Failure> {
        let port = testkit::free_port();
        let program = std::env::current_exe().doing("this program's path")?;
        let mut command = Command::new(program);
        command.args(["upstream", "--port", &port.to_string()]).stdin(Stdio::null());
        let mut upstream = Self { child: cores.start_upstream(&mut command)?, port };
        wait_for_port(port, &mut upstream.child, Duration::from_secs(20)).doing("the upstream")?;
        Ok(upstream)
    }
}

/// Has the upstream at this port send the other halves of all bodies that it holds.
pub fn release(port: u16) -> Result<(), Failure> {
    let mut stream = StdTcpStream::connect((Ipv4Addr::LOCALHOST, port)).doing("the upstream")?;
    stream.write_all(b"GET /release HTTP/1.1\r\nHost: upstream\r\n\r\n").doing("the upstream")?;
    let mut said = [0; 12];
    stream.read_exact(&mut said).doing("the upstream")?;
    if said == *b"HTTP/1.1 200" { Ok(()) } else { Err(Failure::new("the upstream does not release")) }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until somebody listens on `port`, 20 s at most, while `child` lives.
pub fn wait_for_port(port: u16, child: &mut Child, patience: Duration) -> Result<(), Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let end = Instant::now() + patience;
    while StdTcpStream::connect(address).is_err() {
        if let Some(status) = child.try_wait().doing("its state")? {
            return Err(Failure::new(format!("it ended with {status}")));
        }
        if Instant::now() > end {
            return Err(Failure::new(format!("it does not listen after {patience:?}")));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Serves until the process is ended.
pub fn serve(port: u16) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().doing("the runtime")?;
    let block: Arc<[u8]> = vec![b'x'; MIB].into();
    let released = watch::Sender::new(());
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.doing("the upstream's port")?;
        loop {
            let (stream, _) = listener.accept().await.doing("accept")?;
            let (block, released) = (block.clone(), released.clone());
            // A server that closes its connection ends it with an error; that is no fault.
            tokio::task::spawn_local(async move { answer_all(stream, &block, &released).await });
        }
    })
}

async fn answer_all(
    mut stream: TcpStream,
    block: &[u8],
    released: &watch::Sender<()>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut seen = Vec::with_capacity(16 * 1024);
    loop {
        let end = loop {
            if let Some(end) = seen.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if seen.len() > 128 * 1024 || stream.read_buf(&mut seen).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8_lossy(&seen[..end]).into_owned();
        seen.drain(..end);
        match head.split(' ').nth(1) {
            Some("/1k") => send(&mut stream, 200, &block[..1024]).await?,
            Some("/1m") => send(&mut stream, 200, block).await?,
            Some("/100m") => {
                stream.write_all(head_of(200, 100 * MIB).as_bytes()).await?;
                for _ in 0..100 {
                    stream.write_all(block).await?;
                }
            }
            Some("/held") => {
                let mut release = released.subscribe();
                let half = [head_of(200, HELD).as_bytes(), &block[..HELD / 2]].concat();
                stream.write_all(&half).await?;
                // The sender is here as well, so this is no error.
                let _ = release.changed().await;
                stream.write_all(&block[..HELD / 2]).await?;
            }
            Some("/release") => {
                released.send_replace(());
                send(&mut stream, 200, b"").await?;
            }
            Some("/identity") => match identity(&head) {
                Some(value) => send(&mut stream, 200, value.as_bytes()).await?,
                None => send(&mut stream, 500, head.as_bytes()).await?,
            },
            _ => send(&mut stream, 404, b"").await?,
        }
    }
}

async fn send(stream: &mut TcpStream, status: u16, body: &[u8]) -> std::io::Result<()> {
    let mut answer = head_of(status, body.len()).into_bytes();
    if body.len() <= 4096 {
        answer.extend_from_slice(body);
        return stream.write_all(&answer).await;
    }
    stream.write_all(&answer).await?;
    stream.write_all(body).await
}

fn head_of(status: u16, length: usize) -> String {
    // What another phrase costs is nothing that a website asks for.
    let phrase = match status {
        200 => "OK",
        404 => "Not Found",
        _ => "Internal Server Error",
    };
    format!("HTTP/1.1 {status} {phrase}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n")
}

fn identity(head: &str) -> Option<&str> {
    let named = |line: &str| {
        let lower = line.to_ascii_lowercase();
        IDENTITY.iter().any(|name| lower.starts_with(name))
    };
    head.lines().find(|line| named(line)).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_header_is_found_in_any_case() {
        assert_eq!(identity("GET / HTTP/1.1\r\nCLIENT-Cert: :abc=:\r\n\r\n"), Some(":abc=:"));
        assert_eq!(identity("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), None);
    }
}
