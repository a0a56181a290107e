//! tls-alpn-01 (RFC 8737): the host shows a certificate with the hash of the key authorization to who speaks nothing but
//! `acme-tls/1`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use examiner::chain::{Examinee, NameForm};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use super::{Unproved, fault};
use crate::fetch::{self, Judged};
use crate::run::signing::acme::problem::{Kind, Problem};

/// The protocol, which nobody speaks otherwise.
const PROTOCOL: &[u8] = b"acme-tls/1";
/// id-pe-acmeIdentifier.
const IDENTIFIER: &str = "1.3.6.1.5.5.7.1.31";

/// Makes the handshake, and ends with it.
pub(super) async fn prove(name: &str, authorization: &str, judged: &Judged) -> Result<(), Unproved> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let keeps = Arc::new(Keeps { provider: provider.clone(), shown: Mutex::default() });
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| Problem::internal(&error))?;
    let mut config = config.dangerous().with_custom_certificate_verifier(keeps.clone()).with_no_client_auth();
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    let server_name =
        ServerName::try_from(name.to_owned()).map_err(|error| Problem::malformed(error.to_string()))?;
    let places = judged.addresses.iter().map(|address| SocketAddr::new(*address, judged.https)).collect();
    let stream = fetch::connect_to(places).await.map_err(|error| fault(&error))?;
    let made = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(server_name, stream).await;
    let tls = made.map_err(|error| Problem::new(Kind::Tls, format!("no handshake with {name}: {error}")))?;
    if tls.get_ref().1.alpn_protocol() != Some(PROTOCOL) {
        let detail = format!("{name} does not speak acme-tls/1 on this port");
        return Err(Problem::new(Kind::Tls, detail).into());
    }
    let shown = std::mem::take(&mut *keeps.shown.lock().unwrap_or_else(PoisonError::into_inner));
    let is_proof = is_proof(&shown, name, digest(&SHA256, authorization.as_bytes()).as_ref());
    let wrong = || {
        let detail = format!("the certificate that {name} shows is not that of this challenge");
        Unproved::from(Problem::new(Kind::IncorrectResponse, detail))
    };
    is_proof.then_some(()).ok_or_else(wrong)
}

/// Whether this certificate names the host and nobody else, and holds the hash in a critical extension (RFC 8737
/// section 3).
fn is_proof(der: &[u8], name: &str, hash: &[u8]) -> bool {
    let certificate = Examinee::read(der);
    let names = certificate.known.subject_alt_name.read().map(Vec::as_slice).unwrap_or_default();
    let names_it =
        |form: &NameForm| matches!(form, NameForm::Dns(dns) if dns.eq_ignore_ascii_case(name.as_bytes()));
    let is_for_it = matches!(names, [only] if names_it(&only.form));
    // The hash in an OCTET STRING of its own.
    let wanted = [&[0x04, 32], hash].concat();
    let mut identifiers = certificate.extensions.iter().filter(|one| one.oid == IDENTIFIER);
    let holds_hash = identifiers.next().is_some_and(|one| {
        let value = one.value.as_ref().and_then(|place| der.get(place.range.clone()));
        one.is_critical() && value == Some(&wanted)
    });
    let is_self_issued = certificate.subject_der() == certificate.issuer_der();
    is_self_issued && is_for_it && holds_hash && identifiers.next().is_none()
}

/// Keeps the certificate that is shown. Who shows it has its key; whether it is the right one is looked at afterwards.
#[derive(Debug)]
struct Keeps {
    provider: Arc<CryptoProvider>,
    shown: Mutex<Vec<u8>>,
}

impl ServerCertVerifier for Keeps {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = end_entity.to_vec();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let all = &self.provider.signature_verification_algorithms;
        gateway::proof::tls12(message, certificate, signed, all)
            .map(|()| HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let all = &self.provider.signature_verification_algorithms;
        gateway::proof::tls13(message, certificate, signed, all)
            .map(|()| HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use authority::challenge::tls_alpn_certificate;
    use authority::{KeyType, keys};

    use super::*;

    #[test]
    fn a_proof_is_for_one_host_and_one_challenge_and_critical() {
        let key = keys::generate(KeyType::EcdsaP256).unwrap();
        let now = examiner::UnixTime(1_800_000_000);
        let der = tls_alpn_certificate(&key, "db.test", &[7; 32], now).unwrap();
        assert!(is_proof(&der, "db.test", &[7; 32]) && is_proof(&der, "DB.test", &[7; 32]));
        assert!(!is_proof(&der, "db.test", &[8; 32]), "another challenge");
        assert!(!is_proof(&der, "other.test", &[7; 32]), "another host");
        assert!(!is_proof(&der, "b.test", &[7; 32]) && !is_proof(&[], "db.test", &[7; 32]));
        // TRUE and the OCTET STRING behind it: not critical, and a hash that is longer than it says.
        let at = der.windows(3).position(|part| part == [1, 1, 0xff]).unwrap();
        let mut lax = der.clone();
        lax[at + 2] = 0;
        assert!(!is_proof(&lax, "db.test", &[7; 32]));
        let ordinary = testkit::TestCa::new("Any").issue_server("db.test");
        let shown = examiner::cert::pem::certificates(ordinary.chain_pem.as_bytes()).unwrap();
        assert!(!is_proof(&shown[0].der, "db.test", &[7; 32]));
    }
}
