//! The way to a server: its name resolved once, then a connection to one of its addresses, through a proxy where one is
//! named, up to where TLS begins.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};

use super::Target;
use super::proxy::{Proxy, ProxyError};
use super::starttls::{self, Protocol, StartTlsError};

/// How long one address may take to accept the connection, and a proxy to lead on.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a server may take to come to TLS. Mail servers have new callers wait for their greeting.
const STARTTLS: Duration = Duration::from_secs(10);
/// Addresses of a proxy that are tried.
const MOST_OF_A_PROXY: usize = 4;

/// A byte stream to the server, in clear until TLS begins.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A stream of any kind.
pub type Connection = Box<dyn Stream>;

/// Why there is no connection on which TLS could begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// The name has no address.
    #[error("{host} cannot be resolved: {why}")]
    Unresolved {
        /// The name.
        host: String,
        /// What the resolver said.
        why: String,
    },
    /// The address does not accept the connection.
    #[error("no connection: {0}")]
    NoConnection(String),
    /// The proxy does not lead there.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// What is spoken before TLS did not lead to TLS.
    #[error(transparent)]
    StartTls(#[from] StartTlsError),
}

impl RouteError {
    /// Whether the server speaks what was to be spoken, and offers no TLS.
    pub fn is_without_tls(&self) -> bool {
        matches!(self, Self::StartTls(StartTlsError::NotOffered { .. } | StartTlsError::Refused { .. }))
    }

    /// What to do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Unresolved { .. } => "see that the name is right, and that it is in the DNS",
            Self::NoConnection(_) => {
                "see that host and port are right, that the server runs, and that no firewall is between"
            }
            Self::Proxy(ProxyError::WantsCredentials(_)) => {
                "name the user as in http://user@proxy.example:3128, and give --proxy-password-file FILE"
            }
            Self::Proxy(_) => "see that --proxy names an HTTP proxy that leads to this port",
            Self::StartTls(_) if self.is_without_tls() => {
                "turn TLS on in the server, with a certificate and its key; its log says more"
            }
            Self::StartTls(_) => {
                "see that --starttls names what is spoken on this port; leave it out where TLS is spoken at once"
            }
        }
    }
}

/// The ways to a server.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// Where to connect to instead of the server's own host; also the ports, where they name some.
    pub connect: Vec<Target>,
    /// Through this proxy, which then resolves the name.
    pub proxy: Option<Arc<Proxy>>,
    /// What is spoken before TLS.
    pub starttls: Option<Protocol>,
}

impl Ways {
    /// A way for each address of both families that the server is to be looked at by, in the resolver's order, each once;
    /// at least one. Through a proxy it is one way for each place: the proxy chooses the address.
    pub async fn resolve(&self, target: &Target) -> Result<Vec<Route>, RouteError> {
        let route = |shown: String, addresses: Vec<SocketAddr>, lead: Option<Lead>| Route {
            shown,
            addresses,
            lead,
            starttls: self.starttls.map(|protocol| (protocol, bare(target).to_owned())),
        };
        let places = if self.connect.is_empty() { std::slice::from_ref(target) } else { &self.connect };
        let mut all: Vec<Route> = Vec::new();
        for to in places {
            let port = to.port.unwrap_or_else(|| target.port());
            let ways: Vec<Route> = match &self.proxy {
                None => {
                    let found = addresses(to, port).await?.into_iter();
                    found.map(|one| route(one.to_string(), vec![one], None)).collect()
                }
                Some(proxy) => {
                    let mut at = lookup(&proxy.host, proxy.port).await?;
                    at.truncate(MOST_OF_A_PROXY);
                    let shown = format!("{}:{port} through {}:{}", to.host, proxy.host, proxy.port);
                    let lead = Lead { proxy: proxy.clone(), host: bare(to).to_owned(), port };
                    vec![route(shown, at, Some(lead))]
                }
            };
            for way in ways {
                if !all.iter().any(|known| known.shown == way.shown) {
                    all.push(way);
                }
            }
        }
        Ok(all)
    }
}

/// The host without the brackets of an IPv6 address.
fn bare(target: &Target) -> &str {
    target.host.as_str().trim_matches(['[', ']'])
}

async fn addresses(to: &Target, port: u16) -> Result<Vec<SocketAddr>, RouteError> {
    match to.address() {
        Some(address) => Ok(vec![SocketAddr::new(address, port)]),
        None => lookup(to.host.as_str(), port).await,
    }
}

/// The addresses of a name, each once; at least one.
async fn lookup(host: &str, port: u16) -> Result<Vec<SocketAddr>, RouteError> {
    let unresolved = |why: String| RouteError::Unresolved { host: host.to_owned(), why };
    let found = lookup_host((host, port)).await.map_err(|error| unresolved(error.to_string()))?;
    let mut all: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !all.contains(&address) {
            all.push(address);
        }
    }
    if all.is_empty() { Err(unresolved("it has no address".into())) } else { Ok(all) }
}

/// How one address is reached, again for each handshake.
#[derive(Clone, Debug)]
pub struct Route {
    /// The address as a report names it.
    pub shown: String,
    /// Where to connect to: the first that accepts.
    addresses: Vec<SocketAddr>,
    lead: Option<Lead>,
    /// What is spoken before TLS, and with which host.
    starttls: Option<(Protocol, String)>,
}

/// What a proxy is asked for.
#[derive(Clone, Debug)]
struct Lead {
    proxy: Arc<Proxy>,
    host: String,
    port: u16,
}

/// A connection on which TLS begins with the next byte.
pub struct Opened {
    /// The connection.
    pub stream: Connection,
    /// What the server said in clear behind its go-ahead for TLS; empty where all is well.
    pub early: Vec<u8>,
}

impl Route {
    /// A new connection on which TLS begins with the first byte.
    pub async fn open(&self) -> Result<Opened, RouteError> {
        let mut stream = self.connected().await?;
        if let Some(lead) = &self.lead {
            stream = lead.proxy.lead(stream, &lead.host, lead.port, CONNECT).await?;
        }
        let Some((protocol, host)) = &self.starttls else {
            return Ok(Opened { stream: Box::new(stream), early: Vec::new() });
        };
        let started = starttls::start(*protocol, stream, host, STARTTLS).await?;
        Ok(Opened { stream: Box::new(started.stream), early: started.early })
    }

    async fn connected(&self) -> Result<TcpStream, RouteError> {
        let mut last = "there is no address".to_owned();
        for address in &self.addresses {
            match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Small messages are not held back; where that cannot be had, it is only slower.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => last = error.to_string(),
                Err(_) => last = format!("no answer within {} seconds", CONNECT.as_secs()),
            }
        }
        Err(RouteError::NoConnection(last))
    }
}
