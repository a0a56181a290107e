//! The responder's own certificate: signed by the CA that it answers for (RFC 6960 section 4.2.2.2), for a few days.

use der::Decode;
use der::asn1::OctetString;
use examiner::cert::pem;
use examiner::{Certificate, UnixTime};
use policy::issuance::Window;
use spki::ObjectIdentifier;
use x509_cert::ext::Extension;
use zeroize::Zeroizing;

use crate::assemble::Draft;
use crate::error::AuthorityError;
use crate::keys::{self, PrivateKey};
use crate::signer::{Signer, serial};
use crate::{extensions, names};

/// How long it holds, in seconds: 7 days. Nobody asks whether it is revoked, so it is short.
pub const LIFE_SECONDS: i64 = 7 * 86_400;
/// How long before `now` it begins, in seconds, for clocks that run behind.
const LEAD_SECONDS: i64 = 300;

/// OCSP Signing (RFC 6960 section 4.2.2.2).
pub(crate) const OCSP_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9");
/// id-pkix-ocsp-nocheck: nobody need ask whether it is revoked itself (RFC 6960 section 4.2.2.2.1).
const NO_CHECK: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.5");

/// A key that a CA named for its answers, and the certificate that says so.
#[derive(Debug)]
pub struct Delegate {
    pub(super) key: PrivateKey,
    pub(super) certificate: Certificate,
}

impl Delegate {
    /// Reads it from its PEM: certificate and key. `Err(NotDelegated)` where it is another certificate.
    pub fn from_pem(text: &str) -> Result<Self, AuthorityError> {
        let key = PrivateKey::from_pem(text)?;
        let certificate = pem::certificates(text.as_bytes())
            .ok()
            .and_then(|all| all.into_iter().next())
            .filter(is_for_answers)
            .ok_or(AuthorityError::NotDelegated)?;
        Ok(Self { key, certificate })
    }

    /// Certificate and key as one PEM; to be kept from others.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, AuthorityError> {
        let certificate = pem::encode("CERTIFICATE", &self.certificate.der);
        Ok(Zeroizing::new(certificate + &self.key.to_pem()?))
    }

    /// Whether a new one is due: a third of its life is used, or it is another CA's.
    pub fn is_due(&self, issuer: &Certificate, now: UnixTime) -> bool {
        let Certificate { not_before, not_after, .. } = self.certificate;
        let third = (not_after.seconds() - not_before.seconds()) / 3;
        now < not_before || now.seconds() >= not_before.seconds() + third || !self.is_of(issuer)
    }

    /// Whether this CA named it: by its name and its key.
    pub(super) fn is_of(&self, issuer: &Certificate) -> bool {
        let key_id = |certificate: &Certificate| extensions::key_id(&certificate.spki).ok();
        let named = x509_cert::Certificate::from_der(&self.certificate.der).ok().and_then(|parsed| {
            let tbs = parsed.tbs_certificate();
            let found = tbs.get_extension::<x509_cert::ext::pkix::AuthorityKeyIdentifier>();
            found.ok().flatten().and_then(|(_, id)| id.key_identifier)
        });
        self.certificate.issuer_der == issuer.subject_der && named.is_some() && named == key_id(issuer)
    }
}

fn is_for_answers(certificate: &Certificate) -> bool {
    let purposes = certificate.extended_key_usage.as_deref();
    !certificate.is_ca && purposes.is_some_and(|all| all.iter().any(|one| *one == OCSP_SIGNING.to_string()))
}

impl Signer {
    /// Names a new key for the answers about this CA's certificates, from `now` for [`LIFE_SECONDS`], and no longer than
    /// the CA itself.
    pub fn delegate(&self, now: UnixTime) -> Result<Delegate, AuthorityError> {
        let key = keys::generate(self.key.key_type())?;
        let spki = key.spki()?;
        let subject = names::end_entity_subject(&format!("OCSP responder of the {}", self.role()))?;
        let window = self.window();
        let no_check =
            Extension { extn_id: NO_CHECK, critical: false, extn_value: OctetString::new([5, 0])? };
        let draft = Draft {
            serial: serial(self.shard)?,
            issuer: &self.subject,
            subject: &subject,
            window: Window {
                not_before: now.plus(-LEAD_SECONDS).max(window.not_before),
                not_after: now.plus(LIFE_SECONDS).min(window.not_after),
            },
            spki: &spki,
            extensions: extensions::responder(&subject, &spki, &self.key_id, OCSP_SIGNING, no_check)?,
            is_ca: false,
            purpose: Some(OCSP_SIGNING),
        };
        let der = draft.examine(&self.key)?.sign(&self.key)?;
        let certificate = Certificate::from_der(&der)
            .map_err(|_| AuthorityError::NotAsPlanned("it cannot be read back"))?;
        Ok(Delegate { key, certificate })
    }
}
