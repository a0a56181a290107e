//! Answers to a certificate authority that asks whether a name leads here, for the gate's own certificates: tls-alpn-01
//! (RFC 8737) and http-01 (RFC 8555 section 8.3).
//!
//! The one handshake in which no client certificate is asked for. It needs `acme-tls/1` as the only protocol that the client
//! offers, a server name whose certificate comes by ACME, and an open challenge for that very name. It shows the challenge's
//! certificate, never a site's, and ends with the handshake: there is no HTTP on it.

use std::sync::Arc;
use std::time::Instant;

use policy::HostName;
use rustls::server::{ClientHello, NoServerSessionStorage};
use rustls::sign::CertifiedKey;
use rustls::{Error, ProtocolVersion, ServerConfig};
use tokio::io::AsyncWriteExt;
use tokio_rustls::StartHandshake;

use crate::admit::Current;
use crate::gate::Shared;
use crate::handshake::Shown;
use crate::io;
use crate::socket::Socket;

/// The protocol of the challenge (RFC 8737 section 4).
const ACME_TLS: &[u8] = b"acme-tls/1";
/// A fatal `no_application_protocol` alert in a record of its own (RFC 7301 section 3.2).
const NO_APPLICATION_PROTOCOL: [u8; 7] = [21, 3, 3, 0, 2, 2, 120];
/// Where a CA asks by HTTP.
const PATH: &str = "/.well-known/acme-challenge/";

/// The open challenge for this name; called where it may block.
pub type Challenges = Arc<dyn Fn(&HostName) -> Option<OpenChallenge> + Send + Sync>;

/// What a CA is to be shown.
#[derive(Clone, Debug)]
pub enum OpenChallenge {
    /// In a handshake: the certificate with the answer's hash (RFC 8737 section 3).
    Tls(Arc<CertifiedKey>),
    /// By HTTP.
    Http {
        /// The last segment of the path that is asked for.
        token: String,
        /// The key authorization: the whole body.
        answer: String,
    },
}

/// Whether the client speaks of nothing but a challenge.
pub(crate) fn is_asked(hello: &ClientHello<'_>) -> bool {
    hello.alpn().is_some_and(|mut offered| offered.next() == Some(ACME_TLS) && offered.next().is_none())
}

/// Answers the challenge where it is open, and ends the connection either way.
pub(crate) async fn answer(
    shared: &Arc<Shared>,
    start: StartHandshake<Socket>,
    current: &Current,
    began: Instant,
) {
    let name = start.client_hello().server_name().and_then(|name| HostName::parse(name).ok());
    let open = match &name {
        Some(name) => open(shared, current, name).await,
        None => None,
    };
    let site = name.as_ref().filter(|name| current.state.sites.contains_key(*name));
    let site = site.map_or("", HostName::as_str);
    let told = |protocol, result| shared.observer.metrics.handshake(site, protocol, result, began.elapsed());
    let (Some(name), Some(OpenChallenge::Tls(shown))) = (name.as_ref(), open) else {
        told("none", "no-open-challenge");
        let mut tcp = start.io;
        if tcp.write_all(&NO_APPLICATION_PROTOCOL).await.is_ok() {
            io::close(tcp).await;
        }
        return;
    };
    let config = match config(shared, shown) {
        Ok(config) => config,
        Err(error) => return tracing::error!(%error, %name, "a challenge's certificate is not usable"),
    };
    match start.into_stream(Arc::new(config)).into_fallible().await {
        Ok(mut stream) => {
            let protocol = match stream.get_ref().1.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
                _ => "TLSv1.2",
            };
            told(protocol, "challenge-answered");
            tracing::info!(%name, "a certificate authority's challenge was answered by tls-alpn-01");
            // Whatever the client says from here on is not read.
            let _ = stream.shutdown().await;
        }
        Err((_, tcp)) => {
            told("none", "failed");
            io::close(tcp).await;
        }
    }
}

/// The body for a CA that asks for this path by HTTP.
pub(crate) async fn by_http(
    shared: &Arc<Shared>,
    current: &Current,
    host: &HostName,
    path: &str,
) -> Option<String> {
    let asked = path.strip_prefix(PATH)?;
    match open(shared, current, host).await? {
        OpenChallenge::Http { token, answer } if token == asked => Some(answer),
        _ => None,
    }
}

/// The challenge that is open for a name whose certificate comes by ACME; for no other name is one looked for.
async fn open(shared: &Arc<Shared>, current: &Current, name: &HostName) -> Option<OpenChallenge> {
    if !current.state.challenged.contains(name) {
        return None;
    }
    let (challenges, name) = (shared.challenges.clone()?, name.clone());
    tokio::task::spawn_blocking(move || challenges(&name)).await.ok().flatten()
}

fn config(shared: &Shared, shown: Arc<CertifiedKey>) -> Result<ServerConfig, Error> {
    let mut config = ServerConfig::builder_with_provider(shared.provider.clone())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Shown(shown)));
    config.alpn_protocols = vec![ACME_TLS.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(config)
}
