//! The same page behind the console: over a Unix socket of its own user, for operators whom the gate and the console let
//! through. What may be looked at is what may be looked at by everybody: public addresses, and the ports of TLS.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use examiner::side::SideFiles;
use gateway::networks::Networks;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::net::sockopt::socket_peercred;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;

use super::answer::answer;
use super::desk::{Desk, Pace};
use super::kept::Looking;
use super::question::{Ports, Rules};
use super::site::Site;
use super::visitor::Names;
use crate::cli::Failure;
use crate::cli::check::look::Asked;
use crate::cli::check::{question, turns};
use crate::probe::public::Bounds;

/// Connections at once.
const AT_ONCE: usize = 32;
/// New looks a minute of all operators together, looks at once, and how long one is told again.
const PACE: Pace = Pace { per_minute: 60, at_once: 4, keep: Duration::from_secs(60) };

/// Answers the console, for ever.
///
/// # Errors
///
/// The socket is none.
pub async fn serve(listener: UnixListener) -> Result<(), Failure> {
    let unheard = crate::cli::begun::not_started;
    listener.set_nonblocking(true).map_err(unheard)?;
    let listener = tokio::net::UnixListener::from_std(listener).map_err(unheard)?;
    let site = Arc::new(site()?);
    let seats = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let seat = seats.clone().acquire_owned().await;
        match listener.accept().await {
            Ok((stream, _)) if is_own(&stream) => {
                let site = site.clone();
                tokio::spawn(async move {
                    connection(&site, stream).await;
                    drop(seat);
                });
            }
            Ok(_) => tracing::warn!("the check turned a connection of another user away"),
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

fn site() -> Result<Site, Failure> {
    let asked = Asked {
        question: question("auto", false, None)?,
        is_now: true,
        stores: Vec::new(),
        beside: Vec::new(),
        side: SideFiles::default(),
        key: None,
        turns: turns::Turns::default(),
        network: None,
        password: None,
    };
    let bounds = Bounds { private: Networks::default(), resolver: None };
    let looking = Looking { asked, bounds, resolver: None };
    Ok(Site {
        name: "Certificate check".into(),
        rules: Rules { ports: Ports::default(), inner_names: false },
        desk: Desk::new(PACE, move |question| looking.look(question)),
        // The gate answers under the admin address's own names alone.
        names: Names::Any,
        behind: Networks::default(),
        asks_others: false,
        home: Some(("/", "Console")),
    })
}

/// Whether the peer is this process's own user: not another one, and not root either.
fn is_own(stream: &UnixStream) -> bool {
    let peer = socket_peercred(stream).map(|peer| peer.uid.as_raw());
    peer.is_ok_and(|peer| peer == rustix::process::geteuid().as_raw())
}

async fn connection(site: &Arc<Site>, stream: UnixStream) {
    // Whoever asks is behind one peer; the pace counts them together.
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let service = service_fn(move |request| {
        let site = site.clone();
        async move { Ok::<_, Infallible>(answer(&site, peer, request).await) }
    });
    // A console that is gone is nobody's trouble.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
