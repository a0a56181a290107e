//! A whole handshake by rustls, to its end and beyond: what TLS 1.3 encrypts, and what becomes of a client's certificate.
//!
//! Nothing of it is trusted. The verifier keeps what is shown and says yes; no secret and no answer that matters is ever
//! sent on such a connection.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use examiner::seen::End;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::client::TlsStream;

use super::flight::{Asks, MOST_CERTIFICATES};
use crate::probe::{Bounded, Connection};

/// How long a server may take to refuse after the handshake. TLS 1.3 servers judge the client's certificate when the
/// client has finished already.
const AFTERTHOUGHT: Duration = Duration::from_millis(1500);
/// Octets of an answer that are read.
const MOST_ANSWER: usize = 16 << 10;

/// How the handshake is to be made.
pub struct Way<'a> {
    /// The version that is offered, alone.
    pub version: &'static SupportedProtocolVersion,
    /// The server's name; an address sends none.
    pub name: ServerName<'static>,
    /// Application protocols.
    pub alpn: &'a [&'a [u8]],
    /// The certificate to show.
    pub own: Option<Arc<CertifiedKey>>,
    /// The host of a request, `HEAD /`, that is sent where the server asks for a certificate and chose HTTP/1.1.
    pub ask_for: Option<&'a str>,
}

/// What was seen.
#[derive(Debug)]
pub struct Full {
    /// What the server showed, kept by the verifier.
    pub kept: Kept,
    /// What it asks of a client's certificate.
    pub asks: Option<Heard>,
    /// The cipher suite that it chose.
    pub cipher_suite: Option<u16>,
    /// The application protocol that it chose.
    pub alpn: Option<Vec<u8>>,
    /// How the handshake ended.
    pub end: End,
    /// What came after it, where a certificate was asked for.
    pub after: Option<After>,
}

/// What came of the connection once the handshake had ended for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// It stands.
    Stands,
    /// The request was answered with this status.
    Answered(u16),
    /// The server ended it, with an alert or without a word.
    Ended(Option<u8>),
}

/// What a verifier keeps.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The certificates as they came.
    pub chain: Vec<Vec<u8>>,
    /// The stapled OCSP response of the first.
    pub staple: Option<Vec<u8>>,
    /// Whether the server's signature is that of its certificate's key.
    pub has_key: Option<bool>,
}

/// What a server asks of a client's certificate, and whether ours can be shown.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Issuers and signature algorithms.
    pub asks: Asks,
    /// Whether the key of our certificate can make one of those signatures; `None` without a certificate.
    pub is_key_taken: Option<bool>,
}

/// Makes the handshake, until the moment `until`; `most` bytes are read.
pub async fn full(stream: Connection, way: &Way<'_>, most: usize, until: Instant) -> Full {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let keeps = Arc::new(Keeps { provider: provider.clone(), kept: Mutex::default() });
    let hears = Arc::new(Hears { own: way.own.clone(), heard: Mutex::default() });
    let mut seen = Full {
        kept: Kept::default(),
        asks: None,
        cipher_suite: None,
        alpn: None,
        end: End::Seen,
        after: None,
    };
    let config = rustls::ClientConfig::builder_with_provider(provider).with_protocol_versions(&[way.version]);
    let mut config = match config {
        Ok(config) => config
            .dangerous()
            .with_custom_certificate_verifier(keeps.clone())
            .with_client_cert_resolver(hears.clone()),
        Err(error) => return Full { end: End::Unreadable { why: error.to_string() }, ..seen },
    };
    config.alpn_protocols = way.alpn.iter().map(|one| one.to_vec()).collect();
    config.resumption = rustls::client::Resumption::disabled();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let made = timeout_at(until, connector.connect(way.name.clone(), Bounded::new(stream, most))).await;
    seen.kept = take(&keeps.kept);
    seen.asks = take(&hears.heard);
    match made {
        Ok(Ok(mut tls)) => {
            let (_, connection) = tls.get_ref();
            seen.cipher_suite = connection.negotiated_cipher_suite().map(|suite| suite.suite().into());
            seen.alpn = connection.alpn_protocol().map(<[u8]>::to_vec);
            if seen.asks.is_some() {
                seen.after = Some(afterwards(&mut tls, way, until).await);
            }
            // Whether the farewell arrives is of no concern.
            let _ = timeout_at(until.min(Instant::now() + AFTERTHOUGHT), tls.shutdown()).await;
        }
        Ok(Err(error)) => seen.end = end_of(&error),
        Err(_) => seen.end = End::Slow,
    }
    // Up to TLS 1.2 the handshake itself ends so.
    if seen.asks.is_some() && !seen.kept.chain.is_empty() {
        match seen.end {
            End::Alert { code } => seen.after = Some(After::Ended(Some(code))),
            End::Closed => seen.after = Some(After::Ended(None)),
            _ => {}
        }
    }
    seen
}

/// Waits for a late refusal, or asks for the first page's head.
async fn afterwards(tls: &mut TlsStream<Bounded<Connection>>, way: &Way<'_>, until: Instant) -> After {
    let is_http = tls.get_ref().1.alpn_protocol() == Some(b"http/1.1");
    let mut answer = Vec::new();
    if let Some(host) = way.ask_for.filter(|_| is_http) {
        let request = format!(
            "HEAD / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: countersign/{}\r\nAccept: */*\r\nConnection: close\r\n\r\n",
            env!("CARGO_PKG_VERSION")
        );
        // A server that refused already is heard below.
        let asking = async { tls.write_all(request.as_bytes()).await.and(tls.flush().await) };
        let _ = timeout_at(until, asking).await;
    }
    loop {
        let mut part = [0; 1024];
        match timeout_at(until.min(Instant::now() + AFTERTHOUGHT), tls.read(&mut part)).await {
            Err(_) => return After::Stands,
            Ok(Ok(0)) => return if answer.is_empty() { After::Ended(None) } else { After::Stands },
            Ok(Ok(read)) => answer.extend(&part[..read]),
            Ok(Err(error)) => match end_of(&error) {
                End::Alert { code } => return After::Ended(Some(code)),
                _ if answer.is_empty() => return After::Ended(None),
                _ => return After::Stands,
            },
        }
        if !is_http || way.ask_for.is_none() || answer.len() > MOST_ANSWER {
            return After::Stands;
        }
        if let Some(status) = status(&answer) {
            return After::Answered(status);
        }
    }
}

/// The status of an HTTP/1.1 answer whose first line is whole.
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|b| *b == b'\n').next().filter(|line| line.len() < answer.len())?;
    let rest = line.strip_prefix(b"HTTP/1.")?;
    std::str::from_utf8(rest.get(2..5)?).ok()?.parse().ok()
}

/// How a handshake ended, by the error of the stream.
fn end_of(error: &io::Error) -> End {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match (tls, error.kind()) {
        (Some(Error::AlertReceived(alert)), _) => match u8::from(*alert) {
            0 => End::Closed,
            code => End::Alert { code },
        },
        (Some(Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)), _) => {
            End::Unreadable { why: "this is not TLS".into() }
        }
        (Some(other), _) => End::Unreadable { why: format!("the handshake cannot be followed: {other}") },
        (None, io::ErrorKind::FileTooLarge) => End::Unreadable { why: error.to_string() },
        (None, _) => End::Closed,
    }
}

fn take<T: Default>(kept: &Mutex<T>) -> T {
    std::mem::take(&mut kept.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Keeps what a server shows, and says yes.
#[derive(Debug)]
struct Keeps {
    provider: Arc<CryptoProvider>,
    kept: Mutex<Kept>,
}

impl Keeps {
    fn keep(&self, keep: impl FnOnce(&mut Kept)) {
        keep(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl ServerCertVerifier for Keeps {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        staple: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.keep(|kept| {
            kept.chain = std::iter::once(end_entity)
                .chain(intermediates)
                .take(MOST_CERTIFICATES)
                .map(|one| one.to_vec())
                .collect();
            kept.staple = (!staple.is_empty()).then(|| staple.to_vec());
        });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let all = &self.provider.signature_verification_algorithms;
        self.keep(|kept| kept.has_key = possession(gateway::proof::tls12(message, certificate, signed, all)));
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let all = &self.provider.signature_verification_algorithms;
        self.keep(|kept| kept.has_key = possession(gateway::proof::tls13(message, certificate, signed, all)));
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut all = self.provider.signature_verification_algorithms.supported_schemes();
        // Also what nobody ought to sign with: it is to be seen.
        all.extend([
            SignatureScheme::ED448,
            SignatureScheme::RSA_PKCS1_SHA1,
            SignatureScheme::ECDSA_SHA1_Legacy,
        ]);
        all
    }
}

/// Whether the key is had: only a signature that was checked and is wrong says no.
fn possession(checked: Result<(), Error>) -> Option<bool> {
    match checked {
        Ok(()) => Some(true),
        Err(Error::InvalidCertificate(rustls::CertificateError::BadSignature)) => Some(false),
        Err(_) => None,
    }
}

/// Hears what is asked of a client's certificate, and shows ours where it can.
#[derive(Debug)]
struct Hears {
    own: Option<Arc<CertifiedKey>>,
    heard: Mutex<Option<Heard>>,
}

impl ResolvesClientCert for Hears {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let own = self.own.as_ref();
        let is_key_taken = own.map(|own| own.key.choose_scheme(schemes).is_some());
        let asks = Asks {
            issuers: issuers.iter().map(|one| one.to_vec()).collect(),
            issuer_octets: issuers.iter().map(|one| one.len() + 2).sum(),
            signature_algorithms: schemes.iter().map(|one| u16::from(*one)).collect(),
            certificate_types: Vec::new(),
        };
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(Heard { asks, is_key_taken });
        own.filter(|_| is_key_taken == Some(true)).cloned()
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_from_a_whole_first_line_alone() {
        assert_eq!(status(b"HTTP/1.1 403 Forbidden\r\nA: b"), Some(403));
        assert_eq!(status(b"HTTP/1.1 403 Forbidden"), None);
        assert_eq!(status(b"220 mail.example ESMTP\r\n"), None);
        assert_eq!(status(b"HTTP/1.1\r\n"), None);
    }
}
