//! Connections: so many at once, so many of one address, each with its time; and the end on SIGTERM.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};

use super::answer::answer;
use super::site::Site;

/// Connections at once.
const MOST_CONNECTIONS: usize = 512;
/// Connections at once of one address, or of one IPv6 /64; of a listed proxy as many as there are.
const MOST_OF_ONE: usize = 32;
/// Time for the head of a request, and for a connection on which nothing is asked.
const HEAD: Duration = Duration::from_secs(15);
/// Octets that the head of a request may have, and its fields.
const MOST_HEAD: usize = 16 << 10;
const MOST_FIELDS: usize = 64;
/// How long a connection may live. Then it ends behind its answer, and a little later in any case.
const LIFE: Duration = Duration::from_secs(180);
const BEYOND: Duration = Duration::from_secs(20);
/// How long the last answers may take at the end.
const DRAIN: Duration = Duration::from_secs(60);

/// Answers until SIGTERM or SIGINT; then what was asked is answered still.
pub async fn serve(listener: TcpListener, site: Arc<Site>) -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let seats = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let crowd = Crowd::default();
    let (end, ending) = watch::channel(false);
    loop {
        let accepted = async {
            let seat = seats.clone().acquire_owned().await;
            (seat, listener.accept().await)
        };
        let (seat, accepted) = tokio::select! {
            accepted = accepted => accepted,
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let peer = peer.ip().to_canonical();
                let Some(place) = crowd.enter(peer, site.behind.contains(peer)) else { continue };
                let (site, ending) = (site.clone(), ending.clone());
                tokio::spawn(async move {
                    connection(stream, peer, site, ending).await;
                    drop((seat, place));
                });
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    drop(listener);
    let _ = end.send(true);
    let all = seats.acquire_many(MOST_CONNECTIONS as u32);
    let _ = tokio::time::timeout(DRAIN, all).await;
    Ok(())
}

async fn connection(stream: TcpStream, peer: IpAddr, site: Arc<Site>, mut ending: watch::Receiver<bool>) {
    // Small answers are not held back; where that cannot be had, it is only slower.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let site = site.clone();
        async move { Ok::<_, Infallible>(answer(&site, peer, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MOST_HEAD)
        .max_headers(MOST_FIELDS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // A visitor who is gone is nobody's trouble.
        _ = connection.as_mut() => return,
        () = over(&mut ending) => {}
        () = tokio::time::sleep(LIFE) => {}
    }
    connection.as_mut().graceful_shutdown();
    let rest = if *ending.borrow() { DRAIN } else { BEYOND };
    let _ = tokio::time::timeout(rest, connection).await;
}

/// Waits until all is to end.
async fn over(ending: &mut watch::Receiver<bool>) {
    let _ = ending.wait_for(|is_over| *is_over).await;
}

/// Who is here, by address.
#[derive(Clone, Default)]
struct Crowd(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection's place in the crowd; it is free again when this is dropped.
struct Place(Crowd, IpAddr);

impl Crowd {
    /// A place; `None` where this address has all of its own.
    fn enter(&self, peer: IpAddr, is_proxy: bool) -> Option<Place> {
        let one = gateway::prefix(peer);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(one).or_default();
        if *count >= MOST_OF_ONE && !is_proxy {
            return None;
        }
        *count += 1;
        Some(Place(self.clone(), one))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_so_many_connections_and_a_listed_proxy_more() {
        let crowd = Crowd::default();
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let mut places: Vec<_> = (0..MOST_OF_ONE).map(|_| crowd.enter(one, false).unwrap()).collect();
        assert!(crowd.enter(one, false).is_none());
        assert!(crowd.enter(other, false).is_some());
        assert!(crowd.enter(one, true).is_some());
        places.pop();
        assert!(crowd.enter(one, false).is_some(), "who leaves makes room");
        places.clear();
        assert!(crowd.0.lock().unwrap().is_empty());
    }
}
