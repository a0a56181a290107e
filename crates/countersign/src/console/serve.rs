//! The process: connections of its own user alone, which is the gate's; each speaks HTTP/1.1.

use std::convert::Infallible;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::net::sockopt::socket_peercred;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;

use super::answer::{self, Desk};
use crate::cli::Globals;
use crate::config::StateDir;

/// Connections at once; those that listen for events stay.
const AT_ONCE: usize = 256;

/// Answers the gate, for ever.
pub async fn serve(globals: &Globals, state: StateDir, listener: UnixListener) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::UnixListener::from_std(listener)?;
    let desk = Arc::new(Desk::new(globals, state).map_err(std::io::Error::other)?);
    let seats = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let seat = seats.clone().acquire_owned().await;
        match listener.accept().await {
            Ok((stream, _)) if is_own(&stream) => {
                let desk = desk.clone();
                tokio::spawn(async move {
                    connection(desk, stream).await;
                    drop(seat);
                });
            }
            Ok(_) => tracing::warn!("the console turned a connection of another user away"),
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Whether the peer is this process's own user: not another one, and not root either.
fn is_own(stream: &UnixStream) -> bool {
    let peer = socket_peercred(stream).map(|peer| peer.uid.as_raw());
    peer.is_ok_and(|peer| peer == rustix::process::geteuid().as_raw())
}

async fn connection(desk: Arc<Desk>, stream: UnixStream) {
    let service = service_fn(move |request| {
        let desk = desk.clone();
        async move { Ok::<_, Infallible>(answer::answer(&desk, request).await) }
    });
    let connection = http1::Builder::new()
        // The gate sends whole heads, and keeps connections: their end would meet its next request.
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service);
    // A gate that is gone is nobody's trouble.
    let _ = connection.await;
}
