//! What the cryptography of one mutual handshake costs a server, without sockets, HTTP or policy.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::agreement::{self, EphemeralPrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair,
};
use rustix::time::{ClockId, clock_gettime};
use rustls::client::Resumption;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    ServerConnection, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use serde::Serialize;

use crate::failure::{Doing, Failure};
use crate::load::provider;
use crate::pki::{InTurn, Pki, SITE};

/// Processor time of the server's side, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Floor {
    /// One signature, two verifications, one key pair and one agreement on X25519; nothing else.
    pub primitives: f64,
    /// A handshake of rustls over memory, where the issuer's signature is taken as known.
    pub chain_known: f64,
    /// A handshake of rustls over memory, with the chain verified.
    pub chain_verified: f64,
}

impl Floor {
    /// Measures each for so many seconds.
    pub fn measure(pki: &Pki, seconds: f64) -> Result<Self, Failure> {
        let provider = Arc::new(provider());
        let webpki = WebPkiClientVerifier::builder_with_provider(pki.roots()?, provider.clone());
        let webpki = webpki.build().doing("the verifier")?;
        let known = Arc::new(ChainKnown(webpki.clone()));
        Ok(Self {
            primitives: primitives(pki, seconds)?,
            chain_known: handshakes(pki, known, seconds)?,
            chain_verified: handshakes(pki, webpki, seconds)?,
        })
    }
}

fn primitives(pki: &Pki, seconds: f64) -> Result<f64, Failure> {
    let random = SystemRandom::new();
    let key = pki.site_key()?;
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.secret_der());
    let key = key.doing("the site's key")?;
    let message = [7; 130];
    let known = key.sign(&random, &message).doing("sign")?;
    let public = signature::UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.public_key().as_ref());
    let theirs = EphemeralPrivateKey::generate(&X25519, &random).doing("key pair")?;
    let theirs = theirs.compute_public_key().doing("key pair")?;
    average(seconds, || {
        let began = now();
        key.sign(&random, &message).doing("sign")?;
        public.verify(&message, known.as_ref()).doing("verify")?;
        public.verify(&message, known.as_ref()).doing("verify")?;
        let ours = EphemeralPrivateKey::generate(&X25519, &random).doing("key pair")?;
        ours.compute_public_key().doing("key pair")?;
        let peer = UnparsedPublicKey::new(&X25519, theirs.as_ref());
        agreement::agree_ephemeral(ours, peer, Failure::new("agreement"), |_| Ok(()))?;
        Ok(now().saturating_sub(began))
    })
}

fn handshakes(pki: &Pki, verifier: Arc<dyn ClientCertVerifier>, seconds: f64) -> Result<f64, Failure> {
    let provider = Arc::new(provider());
    let versions = [&rustls::version::TLS13];
    let site = (*pki.site()?).clone();
    let mut server = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions)
        .doing("the server's TLS")?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(site)));
    server.send_tls13_tickets = 0;
    server.session_storage = Arc::new(NoServerSessionStorage {});
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .doing("the client's TLS")?
        .with_root_certificates(pki.roots()?)
        .with_client_cert_resolver(Arc::new(InTurn::new(&pki.few)));
    client.resumption = Resumption::disabled();
    let (server, client) = (Arc::new(server), Arc::new(client));
    average(seconds, || handshake(&server, &client))
}

/// One handshake; the time of the server's side.
fn handshake(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>) -> Result<Duration, Failure> {
    let name = ServerName::try_from(SITE).doing("the site's name")?;
    let mut client = ClientConnection::new(client.clone(), name).doing("the client")?;
    let began = now();
    let mut server = ServerConnection::new(server.clone()).doing("the server")?;
    let mut spent = now().saturating_sub(began);
    while client.is_handshaking() || server.is_handshaking() {
        let mut there = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut there).doing("the client")?;
        }
        let mut back = Vec::new();
        let began = now();
        let mut unread = there.as_slice();
        while !unread.is_empty() {
            server.read_tls(&mut unread).doing("the server")?;
            server.process_new_packets().doing("the server")?;
        }
        while server.wants_write() {
            server.write_tls(&mut back).doing("the server")?;
        }
        spent += now().saturating_sub(began);
        let mut unread = back.as_slice();
        while !unread.is_empty() {
            client.read_tls(&mut unread).doing("the client")?;
            client.process_new_packets().doing("the client")?;
        }
    }
    Ok(spent)
}

/// The mean of what `once` gives, in microseconds.
fn average(seconds: f64, mut once: impl FnMut() -> Result<Duration, Failure>) -> Result<f64, Failure> {
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let (mut spent, mut count) = (Duration::ZERO, 0);
    while count == 0 || Instant::now() < end {
        spent += once()?;
        count += 1;
    }
    Ok(spent.as_secs_f64() * 1e6 / f64::from(count))
}

/// Processor time of this thread.
fn now() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap_or_default(), now.tv_nsec.try_into().unwrap_or_default())
}

/// Takes the chain as verified; the proof of possession is checked as ever.
struct ChainKnown(Arc<dyn ClientCertVerifier>);

impl fmt::Debug for ChainKnown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainKnown")
    }
}

impl ClientCertVerifier for ChainKnown {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_that_is_verified_costs_more_than_one_that_is_known() {
        let pki = Pki::make(false).expect("certificates");
        let floor = Floor::measure(&pki, 0.2).expect("handshakes");
        assert!(floor.primitives > 0.0);
        assert!(floor.chain_verified > floor.chain_known, "{floor:?}");
    }
}
