//! The TLS handshake: the site by SNI, a certificate asked for, its key proved before anything else is said about it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use policy::{Code, HostName, OnRefuse, Peer, Refusal};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, CipherSuite, DigitallySignedStruct, DistinguishedName, Error, OtherError,
    ProtocolVersion, ServerConfig, SignatureScheme,
};
use rustls_pki_types::CertificateDer;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use crate::admit;
use crate::challenge;
use crate::gate::Shared;
use crate::identify::identify;
use crate::io;
use crate::listen::Door;
use crate::observe::GateEvent;
use crate::proof;
use crate::proxy::{Link, cipher_name};
use crate::settings::{GateSite, IdentityHeader, IssuerHints};
use crate::socket::Socket;

/// Bytes of CA names sent with a certificate request.
const MOST_HINTS: usize = 8 * 1024;
/// A fatal `unrecognized_name` alert in a record of its own (RFC 8446 sections 5.1 and 6).
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// A connection whose handshake is complete.
pub(crate) struct Arrival {
    pub(crate) stream: TlsStream<Socket>,
    pub(crate) site: Arc<GateSite>,
    /// The chain whose key was proved, and who that is.
    pub(crate) peer: Option<Arc<Peer>>,
    /// Refusals at this site end the handshake.
    pub(crate) strict: bool,
    pub(crate) link: Link,
}

/// Takes the connection through the handshake; `None` when it ended there. The caller sets the deadline.
pub(crate) async fn handshake(
    shared: &Arc<Shared>,
    tcp: TcpStream,
    (from, to): (SocketAddr, SocketAddr),
    door: Door,
) -> Option<Box<Arrival>> {
    let began = Instant::now();
    let metrics = &shared.observer.metrics;
    let acceptor = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), Socket::from(tcp));
    let start = match acceptor.await {
        Ok(start) => start,
        Err(_) => {
            metrics.handshake("", "none", "failed", began.elapsed());
            return None;
        }
    };
    let current = shared.current.load_full();
    if door == Door::Sites && challenge::is_asked(&start.client_hello()) {
        challenge::answer(shared, start, &current, began).await;
        return None;
    }
    let name = site_name(&start.client_hello(), door, &current);
    let found = name
        .and_then(|name| current.state.site(&name).cloned().zip(current.state.snapshot.site(&name).cloned()));
    let Some((site, rules)) = found else {
        metrics.handshake("", "none", "unrecognized-name", began.elapsed());
        let mut tcp = start.io;
        if tcp.write_all(&UNRECOGNIZED_NAME).await.is_ok() {
            io::close(tcp).await;
        }
        return None;
    };
    let handshake_site = rules.on_refuse == OnRefuse::Handshake;
    let now = (shared.clock)();
    let crowded = door == Door::Sites
        && !handshake_site
        && !admit::is_open(&rules, now)
        && !shared.crowd.has_room(from.ip(), now);
    let strict = handshake_site || crowded;
    let verifier = Arc::new(Verifier {
        shared: shared.clone(),
        site: site.name.clone(),
        mandatory: strict && admit::standing(&current, &rules, None, now).is_err(),
        strict,
        hints: hints(&site, &rules, &current.state.snapshot.records),
        algorithms: shared.provider.signature_verification_algorithms,
        chain: Mutex::new(None),
        outcome: Mutex::new(None),
        proved: AtomicBool::new(false),
    });
    let config = match config(shared, &site, &start.client_hello(), verifier.clone()) {
        Ok(config) => config,
        Err(error) => {
            tracing::error!(%error, site = %site.name, "the site's TLS settings are not usable");
            return None;
        }
    };
    let done = start.into_stream(Arc::new(config)).into_fallible().await;
    let taken = began.elapsed();
    match done {
        Ok(stream) => {
            let protocol = match stream.get_ref().1.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
                _ => "TLSv1.2",
            };
            metrics.handshake(site.name.as_str(), protocol, "ok", taken);
            let peer = verifier.peer();
            let suite = stream.get_ref().1.negotiated_cipher_suite().map(|suite| suite.suite());
            let cipher = if site.identity.contains(&IdentityHeader::ProxyV2) {
                suite.map(cipher_name).unwrap_or_default()
            } else {
                String::new()
            };
            let link = Link { from, to, version: protocol, cipher };
            // Whoever waits for it needs no room for it.
            Some(Box::new(Arrival { stream, site, peer, strict: handshake_site, link }))
        }
        Err((error, tcp)) => {
            let result = failed(shared, &verifier, &error, from);
            metrics.handshake(site.name.as_str(), "none", result, taken);
            io::close(tcp).await;
            None
        }
    }
}

fn site_name(hello: &ClientHello<'_>, door: Door, current: &admit::Current) -> Option<HostName> {
    match door {
        Door::Admin => return current.state.admin.as_ref().map(|admin| admin.name.clone()),
        Door::Enrol => return current.state.enrol.as_ref().map(|enrol| enrol.site.name.clone()),
        Door::Sites => {}
    }
    match hello.server_name() {
        // The admin and the enrolment address have listeners of their own.
        Some(name) => HostName::parse(name).ok().filter(|name| current.state.sites.contains_key(name)),
        None => current.state.default_site.clone(),
    }
}

/// Logs why a handshake failed, as far as something is proved; gives the metric's word.
fn failed(shared: &Shared, verifier: &Verifier, error: &std::io::Error, from: SocketAddr) -> &'static str {
    let reason = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let outcome = verifier.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (why, peer, party, detail) = match (outcome, reason) {
        (Some(Refused { refusal, peer, party }), _) => {
            let detail = crate::pages::text(crate::pages::Lang::En, &refusal.why).detail;
            (refusal.code(), Some(peer), party, detail)
        }
        (None, Some(Error::NoCertificatesPresented)) => (Code::NoCertificate, None, None, String::new()),
        (None, Some(Error::InvalidCertificate(why))) if !verifier.proved.load(Ordering::Relaxed) => {
            // Nobody is blamed: whose certificate was presented says nothing about who is there.
            (Code::PossessionFailed, None, None, format!("{why:?}"))
        }
        _ => return "failed",
    };
    shared.observer.refused(GateEvent {
        time: (shared.clock)(),
        site: verifier.site.clone(),
        party,
        thumbprint: peer.map(|peer| peer.thumbprint),
        address: Some(from.ip()),
        verdict: "refused",
        code: Some(why.as_str()),
        rule: None,
        reference: String::new(),
        detail,
        is_exception: false,
        count: 1,
    });
    why.as_str()
}

fn config(
    shared: &Shared,
    site: &GateSite,
    hello: &ClientHello<'_>,
    verifier: Arc<Verifier>,
) -> Result<ServerConfig, Error> {
    let versions: &[_] = if site.tls_min_13 {
        &[&rustls::version::TLS13]
    } else {
        &[&rustls::version::TLS13, &rustls::version::TLS12]
    };
    let mut config = ServerConfig::builder_with_provider(shared.provider.clone())
        .with_protocol_versions(versions)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(Shown(site.certificate.clone())));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    // AES in hardware is fastest, unless the client says that it has none.
    let chacha = [
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ];
    let first = hello.cipher_suites().iter().find(|suite| suite.as_str().is_some());
    config.ignore_client_order = !first.is_some_and(|suite| chacha.contains(suite));
    Ok(config)
}

fn hints(site: &GateSite, rules: &policy::Site, records: &policy::Records) -> Vec<DistinguishedName> {
    let wanted = match site.issuer_hints {
        // A record does not say who issued the certificate: any pin may be of another issuer.
        IssuerHints::Auto => !site.keeps_pending && !records.has_pins(),
        IssuerHints::None => false,
        IssuerHints::Known => true,
    };
    let names: Vec<Vec<u8>> =
        if wanted { rules.anchors.subjects_der().map(<[u8]>::to_vec).collect() } else { Vec::new() };
    // A part of the names would hide the others from the client's choice.
    if names.iter().map(|name| name.len() + 2).sum::<usize>() > MOST_HINTS {
        return Vec::new();
    }
    names.into_iter().map(DistinguishedName::from).collect()
}

/// The one certificate of a connection.
#[derive(Debug)]
pub(crate) struct Shown(pub(crate) Arc<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// Made for one connection. Proves possession; on `handshake` sites then gives the decision as the handshake's error.
struct Verifier {
    shared: Arc<Shared>,
    site: HostName,
    mandatory: bool,
    strict: bool,
    hints: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
    chain: Mutex<Option<Arc<[CertificateDer<'static>]>>>,
    outcome: Mutex<Option<Refused>>,
    proved: AtomicBool,
}

/// A verdict that ended the handshake.
#[derive(Clone)]
struct Refused {
    refusal: Refusal,
    peer: Arc<Peer>,
    party: Option<String>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("site", &self.site).finish_non_exhaustive()
    }
}

impl Verifier {
    /// Who proved their key.
    fn peer(&self) -> Option<Arc<Peer>> {
        if !self.proved.load(Ordering::Relaxed) {
            return None;
        }
        let chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let current = self.shared.current.load();
        let rules = current.state.snapshot.site(&self.site)?;
        identify(&chain, &rules.anchors, (self.shared.clock)())
    }

    /// The key is proved: on `handshake` sites the verdict follows.
    fn judged(&self) -> Result<HandshakeSignatureValid, Error> {
        self.proved.store(true, Ordering::Relaxed);
        if !self.strict {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let unreadable = || Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);
        let peer = self.peer().ok_or_else(unreadable)?;
        let current = self.shared.current.load();
        let rules = current.state.snapshot.site(&self.site).ok_or_else(unreadable)?;
        match admit::standing(&current, rules, Some(&peer), (self.shared.clock)()) {
            Ok(()) => Ok(HandshakeSignatureValid::assertion()),
            Err(refusal) => {
                let error = alert(refusal.code());
                let party = admit::party_of(&current, rules, Some(&peer));
                *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(Refused { refusal, peer, party });
                Err(error)
            }
        }
    }
}

/// The rustls error that makes the alert of this code (see [`Code::alert`]).
fn alert(code: Code) -> Error {
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Other(Code);
    use CertificateError as C;
    Error::InvalidCertificate(match code.alert() {
        Some(42) => C::BadEncoding,
        Some(43) => C::InvalidPurpose,
        Some(44) => C::Revoked,
        Some(45) => C::Expired,
        Some(46) => C::Other(OtherError(Arc::new(Other(code)))),
        Some(48) => C::UnknownIssuer,
        Some(51) => C::BadSignature,
        _ => C::ApplicationVerificationFailure,
    })
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: rustls_pki_types::UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let bytes = end_entity.len() + intermediates.iter().map(|one| one.len()).sum::<usize>();
        let limits = &self.shared.limits;
        if intermediates.len() >= limits.client_certificates || bytes > limits.client_certificate_bytes {
            return Err(Error::InvalidCertificate(CertificateError::BadEncoding));
        }
        let chain =
            [end_entity].into_iter().chain(intermediates).map(|one| one.clone().into_owned()).collect();
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = Some(chain);
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        proof::tls12(message, certificate, signed, &self.algorithms)?;
        self.judged()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        proof::tls13(message, certificate, signed, &self.algorithms)?;
        self.judged()
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
