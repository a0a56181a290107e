//! The responder's own certificate: signed by the CA that it answers for (RFC 6960 section 4.2.2.2), for a day.

use der::Decode;
use examiner::{Certificate, PublicKey, UnixTime};
use policy::issuance::Window;
use x509_cert::ext::pkix::AuthorityKeyIdentifier;

use crate::assemble::Draft;
use crate::error::AuthorityError;
use crate::extensions::{self, OCSP_SIGNING};
use crate::keys::{self, KeyType, PrivateKey};
use crate::names;
use crate::signer::{Shard, Signer, serial};

/// How long it holds, in seconds: one day. Nobody asks whether it is revoked, so it is short.
pub const LIFE_SECONDS: i64 = 86_400;
/// How long before `now` it begins, in seconds, for clocks that run behind.
pub const LEAD_SECONDS: i64 = 300;

/// A new key for the answers about this CA's certificates, of the kind that the CA's own is: who can verify the one can
/// verify the other.
pub fn new_key(issuer: &Certificate) -> Result<PrivateKey, AuthorityError> {
    keys::generate(match issuer.public_key {
        PublicKey::P384 | PublicKey::P521 => KeyType::EcdsaP384,
        PublicKey::Rsa { .. } => KeyType::Rsa3072,
        PublicKey::Ed25519 => KeyType::Ed25519,
        PublicKey::P256 | PublicKey::Other(_) => KeyType::EcdsaP256,
    })
}

/// Whether this CA named the certificate's key for its answers: by its name and its key.
pub(super) fn is_named_by(certificate: &Certificate, issuer: &Certificate) -> bool {
    let named = x509_cert::Certificate::from_der(&certificate.der).ok().and_then(|parsed| {
        let found = parsed.tbs_certificate().get_extension::<AuthorityKeyIdentifier>();
        found.ok().flatten().and_then(|(_, id)| id.key_identifier)
    });
    let purposes = certificate.extended_key_usage.as_deref();
    !certificate.is_ca
        && purposes.is_some_and(|all| all.iter().any(|one| *one == OCSP_SIGNING.to_string()))
        && certificate.issuer_der == issuer.subject_der
        && named.is_some_and(|named| issuer.subject_key_id.as_deref() == Some(named.as_bytes()))
}

impl Signer {
    /// Names a key, its SubjectPublicKeyInfo, for the answers about this CA's certificates: a certificate, DER, from
    /// `now` for [`LIFE_SECONDS`], and no longer than the CA itself.
    ///
    /// `Err(NotDelegated)` for a weak key, `Err(KeyOfCa)` for one of the own CAs.
    pub fn delegate(&self, spki: &[u8], now: UnixTime) -> Result<Vec<u8>, AuthorityError> {
        let is_sound = PublicKey::from_spki(spki).is_some_and(|key| key.weakness().is_none());
        if !is_sound {
            return Err(AuthorityError::NotDelegated);
        }
        self.refuse_own_key(spki)?;
        let subject = names::end_entity_subject(&format!("OCSP responder of the {}", self.role()))?;
        let window = self.window();
        let draft = Draft {
            serial: serial(Shard::FIRST)?,
            issuer: &self.subject,
            subject: &subject,
            window: Window {
                not_before: now.plus(-LEAD_SECONDS).max(window.not_before),
                not_after: now.plus(LIFE_SECONDS).min(window.not_after),
            },
            spki,
            extensions: extensions::responder(&subject, spki, &self.key_id)?,
            is_ca: false,
            purposes: &[OCSP_SIGNING],
        };
        draft.examine(&self.key)?.sign(&self.key)
    }
}
