//! What a client shows and wants, and the handshake.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme, SupportedProtocolVersion, version};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Broken, Conn, H2Conn};
use crate::ca::TestCert;
use crate::response::Response;

/// How long anything may take before it counts as broken.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// A client that verifies the server against one CA and may show a certificate.
#[derive(Clone)]
pub struct Client {
    roots: Arc<RootCertStore>,
    identity: Option<Arc<CertifiedKey>>,
    versions: Vec<&'static SupportedProtocolVersion>,
    alpn: Vec<Vec<u8>>,
    sni: bool,
    preface: Vec<u8>,
}

impl Client {
    /// Verifies servers against the certificates in this PEM text; shows no certificate; TLS 1.2 and 1.3.
    pub fn trusting(ca_pem: &str) -> Self {
        let mut roots = RootCertStore::empty();
        for der in certificates(ca_pem) {
            roots.add(der).expect("a trust anchor");
        }
        assert!(!roots.is_empty(), "no certificate in the CA text:\n{ca_pem}");
        Self {
            roots: Arc::new(roots),
            identity: None,
            versions: vec![&version::TLS13, &version::TLS12],
            alpn: Vec::new(),
            sni: true,
            preface: Vec::new(),
        }
    }

    /// Shows this certificate, with its intermediates.
    pub fn showing(self, cert: &TestCert) -> Self {
        self.showing_pem(&cert.chain_pem, &cert.key_pem)
    }

    /// Shows the certificates of `chain_pem` and signs with the key of `key_pem`.
    ///
    /// Whether they belong together is not checked: a certificate with somebody else's key is a test of the proof
    /// of possession.
    pub fn showing_pem(mut self, chain_pem: &str, key_pem: &str) -> Self {
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).expect("a private key in PEM");
        let key = aws_lc_rs::sign::any_supported_type(&key).expect("a key that rustls can sign with");
        self.identity = Some(Arc::new(CertifiedKey::new(certificates(chain_pem), key)));
        self
    }

    /// Shows `cert` but signs with the key of `other`.
    pub fn showing_stolen(self, cert: &TestCert, other: &TestCert) -> Self {
        self.showing_pem(&cert.chain_pem, &other.key_pem)
    }

    /// Shows no certificate.
    pub fn showing_none(mut self) -> Self {
        self.identity = None;
        self
    }

    /// TLS 1.2 only.
    pub fn tls12(mut self) -> Self {
        self.versions = vec![&version::TLS12];
        self
    }

    /// TLS 1.3 only.
    pub fn tls13(mut self) -> Self {
        self.versions = vec![&version::TLS13];
        self
    }

    /// Offers these protocols; [`Client::connect_h2`] offers `h2` by itself.
    pub fn alpn(mut self, protocols: &[&str]) -> Self {
        self.alpn = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        self
    }

    /// Sends no server name; the server's certificate is still held against the name given to `connect`.
    pub fn without_sni(mut self) -> Self {
        self.sni = false;
        self
    }

    /// Sends these bytes before the handshake: a PROXY header.
    pub fn announced_by(mut self, header: &[u8]) -> Self {
        self.preface = header.to_vec();
        self
    }

    /// The handshake with 127.0.0.1:`port` for the host `name` (an address sends no server name).
    pub async fn connect(&self, port: u16, name: &str) -> Result<Conn, Broken> {
        let stream = self.handshake(port, name, &self.alpn).await?;
        Ok(Conn::over_tls(stream, format!("{name}:{port}")))
    }

    /// The same with HTTP/2 as the only offer.
    pub async fn connect_h2(&self, port: u16, name: &str) -> Result<H2Conn, Broken> {
        let stream = self.handshake(port, name, &[b"h2".to_vec()]).await?;
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(Broken::new("the server did not choose h2"));
        }
        H2Conn::over(stream, format!("{name}:{port}")).await
    }

    /// The handshake alone, with these protocols offered.
    pub async fn connect_stream(
        &self,
        port: u16,
        name: &str,
        alpn: &[&str],
    ) -> Result<TlsStream<TcpStream>, Broken> {
        let alpn: Vec<_> = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        self.handshake(port, name, &alpn).await
    }

    /// Connects and asks for `path` once: the answer, or what broke, with the alert wherever it came.
    pub async fn knock(&self, port: u16, name: &str, path: &str) -> Result<Response, Broken> {
        self.connect(port, name).await?.get(path, &[]).await
    }

    async fn handshake(
        &self,
        port: u16,
        name: &str,
        alpn: &[Vec<u8>],
    ) -> Result<TlsStream<TcpStream>, Broken> {
        let name = ServerName::try_from(name.to_owned()).expect("a host name or an address");
        let connector = TlsConnector::from(Arc::new(self.config(alpn)));
        within("the handshake", async {
            let mut socket = TcpStream::connect(("127.0.0.1", port)).await?;
            socket.set_nodelay(true)?;
            socket.write_all(&self.preface).await?;
            Ok(connector.connect(name, socket).await?)
        })
        .await
    }

    fn config(&self, alpn: &[Vec<u8>]) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&self.versions)
            .expect("versions of the provider")
            .with_root_certificates(self.roots.clone());
        let mut config = match &self.identity {
            Some(identity) => builder.with_client_cert_resolver(Arc::new(Always(identity.clone()))),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.to_vec();
        config.enable_sni = self.sni;
        config
    }
}

/// `work`, or what it took too long for.
pub(super) async fn within<T>(
    what: &str,
    work: impl Future<Output = Result<T, Broken>>,
) -> Result<T, Broken> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(result) => result,
        Err(_) => Err(Broken::new(format!("{what} took longer than {PATIENCE:?}"))),
    }
}

fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    let all = CertificateDer::pem_slice_iter(pem.as_bytes());
    all.map(|one| one.expect("a certificate in PEM")).collect()
}

/// Shows its certificate whatever issuers the server names, and never looks whether the key fits.
#[derive(Debug)]
pub struct Always(pub Arc<CertifiedKey>);

impl ResolvesClientCert for Always {
    fn resolve(&self, _issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}
