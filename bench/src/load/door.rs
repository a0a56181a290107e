//! The way into one server: TCP and the mutual handshake.

use std::net::Ipv4Addr;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{CipherSuite, ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::within;
use crate::failure::{Doing, Failure};
use crate::pki::{InTurn, Pki, SITE, Visitors};

/// Which certificates, and which protocol.
#[derive(Clone, Copy, Debug)]
pub enum Tls {
    /// Few certificates, HTTP/1.1.
    H1,
    /// Few certificates, HTTP/2.
    H2,
    /// Many certificates, HTTP/1.1.
    New,
}

/// A server's address with everything a visitor needs.
pub struct Door {
    port: u16,
    h1: Arc<ClientConfig>,
    h2: Arc<ClientConfig>,
    new: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Door {
    /// The door of the server at this port. The turn of certificates is its own.
    pub fn new(port: u16, pki: &Pki) -> Result<Self, Failure> {
        Self::showing(port, pki, &pki.few)
    }

    /// The same for some visitors alone.
    pub fn showing(port: u16, pki: &Pki, few: &Visitors) -> Result<Self, Failure> {
        let roots = pki.roots()?;
        let config = |visitors: &Visitors, alpn: &str| config(&roots, visitors, alpn);
        Ok(Self {
            port,
            h1: config(few, "http/1.1")?,
            h2: config(few, "h2")?,
            new: config(&pki.many, "http/1.1")?,
            name: ServerName::try_from(SITE).doing("the site's name")?,
        })
    }

    /// A full handshake.
    pub async fn connect(&self, tls: Tls) -> Result<TlsStream<TcpStream>, Failure> {
        let config = match tls {
            Tls::H1 => &self.h1,
            Tls::H2 => &self.h2,
            Tls::New => &self.new,
        };
        within("the handshake", async {
            let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.doing("connect")?;
            tcp.set_nodelay(true).doing("nodelay")?;
            let stream = TlsConnector::from(config.clone())
                .connect(self.name.clone(), tcp)
                .await
                .doing("handshake")?;
            equal_work(&stream, config)?;
            Ok(stream)
        })
        .await
    }

    /// A request of HTTP/1.1, whole.
    pub fn request(&self, path: &str) -> Vec<u8> {
        format!(
            "GET {path} HTTP/1.1\r\nHost: {SITE}:{}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n",
            self.port
        )
        .into_bytes()
    }

    /// The address of a resource.
    pub fn url(&self, path: &str) -> String {
        format!("https://{SITE}:{}{path}", self.port)
    }
}

/// The cryptography of every handshake: X25519, AES-128-GCM, so that no server does other work than the next.
pub fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = vec![aws_lc_rs::kx_group::X25519];
    provider.cipher_suites.retain(|suite| suite.suite() == CipherSuite::TLS13_AES_128_GCM_SHA256);
    provider
}

fn config(roots: &Arc<RootCertStore>, visitors: &Visitors, alpn: &str) -> Result<Arc<ClientConfig>, Failure> {
    let builder = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .doing("the visitors' TLS")?;
    let mut config = builder
        .with_root_certificates(roots.clone())
        .with_client_cert_resolver(Arc::new(InTurn::new(visitors)));
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

fn equal_work(stream: &TlsStream<TcpStream>, config: &ClientConfig) -> Result<(), Failure> {
    let tls = stream.get_ref().1;
    if tls.alpn_protocol() != config.alpn_protocols.first().map(Vec::as_slice) {
        return Err(Failure::new("the server chose another protocol"));
    }
    Ok(())
}
