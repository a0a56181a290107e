//! The way to a server: its name resolved once, then a connection to one of its addresses.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};

use super::Target;

/// How long one address may take to accept the connection.
const CONNECT: Duration = Duration::from_secs(5);

/// A byte stream to the server, in clear until TLS begins.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A stream of any kind.
pub type Connection = Box<dyn Stream>;

/// Why there is no connection.
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
}

/// The addresses of both families that the server is to be looked at by, in the resolver's order, each once.
///
/// `connect` stands in for the target's own host, and for its port where it names one.
pub async fn resolve(target: &Target, connect: Option<&Target>) -> Result<Vec<SocketAddr>, RouteError> {
    let to = connect.unwrap_or(target);
    let port = to.port.unwrap_or_else(|| target.port());
    if let Some(address) = to.address() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let unresolved = |why: String| RouteError::Unresolved { host: to.host.to_string(), why };
    let found = lookup_host((to.host.as_str(), port)).await.map_err(|error| unresolved(error.to_string()))?;
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
    /// The address.
    pub address: SocketAddr,
}

impl Route {
    /// A new connection on which TLS begins with the first byte.
    pub async fn open(&self) -> Result<Connection, RouteError> {
        match tokio::time::timeout(CONNECT, TcpStream::connect(self.address)).await {
            Ok(Ok(stream)) => {
                // Small messages are not held back; where that cannot be had, it is only slower.
                let _ = stream.set_nodelay(true);
                Ok(Box::new(stream))
            }
            Ok(Err(error)) => Err(RouteError::NoConnection(error.to_string())),
            Err(_) => {
                Err(RouteError::NoConnection(format!("no answer within {} seconds", CONNECT.as_secs())))
            }
        }
    }
}
