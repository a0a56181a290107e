//! A certificate put together, looked at by the examiner, and only then signed.
//!
//! [`Draft`] is what should be signed; [`Draft::examine`] writes it, reads the bytes back as anybody else would,
//! compares, and looks for faults by the examiner's checks. Only the [`Examined`] has a way to be signed.

use std::time::Duration;

use der::asn1::{Any, BitString};
use der::{DateTime, Decode, Encode, ErrorKind, Sequence};
use examiner::chain::Examinee;
use examiner::profile::Profile;
use examiner::report::{Severity, Shape};
use examiner::{Certificate, Question, UnixTime, lint};
use policy::issuance::Window;
use spki::{AlgorithmIdentifierOwned, ObjectIdentifier};
use x509_cert::ext::Extensions;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::{Time, Validity};

use crate::error::AuthorityError;
use crate::extensions::{self, OCSP_SIGNING};
use crate::signing_key::SigningKey;

/// Checks by which a certificate must be a server's; an OCSP responder's is none.
const OF_SERVERS: [&str; 2] = ["eku-no-server-auth", "san-missing"];

/// A certificate to be, and what the examiner must find in it.
pub(crate) struct Draft<'a> {
    /// 16 octets.
    pub(crate) serial: [u8; 16],
    pub(crate) issuer: &'a Name,
    pub(crate) subject: &'a Name,
    pub(crate) window: Window,
    pub(crate) spki: &'a [u8],
    pub(crate) extensions: Extensions,
    /// Whether it must be a CA's.
    pub(crate) is_ca: bool,
    /// The key purposes it must have, and no other; the root has none.
    pub(crate) purposes: &'a [ObjectIdentifier],
}

/// The bytes to be signed, found to be as planned.
pub(crate) struct Examined {
    tbs: Vec<u8>,
    algorithm: AlgorithmIdentifierOwned,
}

/// TBSCertificate (RFC 5280 section 4.1), version 3.
#[derive(Sequence)]
pub(crate) struct ToBeSigned {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(crate) version: u8,
    pub(crate) serial: SerialNumber,
    pub(crate) algorithm: AlgorithmIdentifierOwned,
    pub(crate) issuer: Name,
    pub(crate) validity: Validity,
    pub(crate) subject: Name,
    pub(crate) spki: Any,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    pub(crate) extensions: Extensions,
}

/// Certificate and CertificateList alike: content, algorithm, signature.
#[derive(Sequence)]
struct Signed {
    content: Any,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

impl Draft<'_> {
    /// Writes the certificate for `key` to sign, and examines it. `Err(NotAsPlanned)` where it says anything else
    /// than it should.
    pub(crate) fn examine(self, key: &SigningKey) -> Result<Examined, AuthorityError> {
        let algorithm = key.algorithm();
        let tbs = ToBeSigned {
            version: 2,
            serial: SerialNumber::new(&self.serial)?,
            algorithm: algorithm.clone(),
            issuer: self.issuer.clone(),
            validity: Validity::new(time(self.window.not_before)?, time(self.window.not_after)?),
            subject: self.subject.clone(),
            spki: Any::from_der(self.spki)?,
            extensions: self.extensions.clone(),
        }
        .to_der()?;
        let unsigned = wrap(&tbs, algorithm.clone(), stand_in(&algorithm))?;
        let read = Certificate::from_der(&unsigned)
            .map_err(|_| AuthorityError::NotAsPlanned("it cannot be read back"))?;
        self.compare(&read).map_err(AuthorityError::NotAsPlanned)?;
        self.find_faults(&unsigned)?;
        Ok(Examined { tbs, algorithm })
    }

    /// `Err(Faulty)` with the gravest fault that relying parties would find in the certificate.
    fn find_faults(&self, unsigned: &[u8]) -> Result<(), AuthorityError> {
        let profile = match self.purposes {
            _ if self.is_ca => Profile::Rfc5280,
            [extensions::CLIENT_AUTH] => Profile::MtlsClient,
            [extensions::SERVER_AUTH] => Profile::PrivateServer,
            _ => Profile::Rfc5280,
        };
        let question = Question { profile: Some(profile), at: self.window.not_before, host: None };
        let report = lint(vec![Examinee::read(unsigned)], &question, Shape::Apart);
        let counts = |id: &str| self.purposes != [OCSP_SIGNING] || !OF_SERVERS.contains(&id);
        let mut errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
        match errors.find(|finding| counts(finding.id)) {
            Some(finding) => Err(AuthorityError::Faulty { id: finding.id, what: finding.observed.clone() }),
            None => Ok(()),
        }
    }

    /// CAs and OCSP responders have no names but their subject.
    fn is_nameless(&self) -> bool {
        self.is_ca || self.purposes == [OCSP_SIGNING]
    }

    fn compare(&self, read: &Certificate) -> Result<(), &'static str> {
        let purposes: Vec<String> = self.purposes.iter().map(ToString::to_string).collect();
        let purposes = (!purposes.is_empty()).then_some(purposes);
        let usage = read.key_usage.ok_or("key usage is absent")?;
        let same_name = |name: &Name, der: &[u8]| name.to_der().is_ok_and(|own| own == der);
        let facts = [
            (*read.serial == self.serial, "serial number"),
            (*read.spki == *self.spki, "public key"),
            (same_name(self.subject, &read.subject_der), "subject"),
            (same_name(self.issuer, &read.issuer_der), "issuer"),
            (read.not_before == self.window.not_before, "notBefore"),
            (read.not_after == self.window.not_after, "notAfter"),
            (read.is_ca == self.is_ca, "basic constraints"),
            (usage.key_cert_sign == self.is_ca, "key usage"),
            (usage.digital_signature != self.is_ca, "key usage"),
            (read.extended_key_usage == purposes, "extended key usage"),
            (self.is_nameless() || !read.subject_alt_names.is_empty(), "subject alternative names"),
        ];
        facts.into_iter().find(|(as_planned, _)| !as_planned).map_or(Ok(()), |(_, what)| Err(what))
    }
}

impl Examined {
    /// The signed certificate's DER.
    pub(crate) fn sign(self, key: &SigningKey) -> Result<Vec<u8>, AuthorityError> {
        let signature = key.sign(&self.tbs)?;
        Ok(wrap(&self.tbs, self.algorithm, &signature)?)
    }
}

/// What stands for the signature until there is one: of the algorithm's form, so that the form is not found fault with.
fn stand_in(algorithm: &AlgorithmIdentifierOwned) -> &'static [u8] {
    const ECDSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3");
    if algorithm.oid.parent() == Some(ECDSA) { &[0x30, 6, 2, 1, 1, 2, 1, 1] } else { &[1; 64] }
}

/// `content`, its algorithm and its signature as one DER document.
pub(crate) fn wrap(
    content: &[u8],
    algorithm: AlgorithmIdentifierOwned,
    signature: &[u8],
) -> der::Result<Vec<u8>> {
    Signed { content: Any::from_der(content)?, algorithm, signature: BitString::from_bytes(signature)? }
        .to_der()
}

/// UTCTime through 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5).
pub(crate) fn time(moment: UnixTime) -> der::Result<Time> {
    let seconds = u64::try_from(moment.seconds()).map_err(|_| ErrorKind::DateTime)?;
    Ok(Time::from(DateTime::from_unix_duration(Duration::from_secs(seconds))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyType, keys, names};

    #[test]
    fn what_is_not_as_planned_is_not_signed() {
        let key = SigningKey::InMemory(keys::generate(KeyType::EcdsaP256).unwrap());
        let spki = key.spki().unwrap();
        let subject = names::ca_subject("Root", "Lab").unwrap();
        let window = Window { not_before: UnixTime(1_800_000_000), not_after: UnixTime(1_900_000_000) };
        let draft = |is_ca| Draft {
            serial: [1; 16],
            issuer: &subject,
            subject: &subject,
            window,
            spki: &spki,
            extensions: extensions::root(&subject, &spki).unwrap(),
            is_ca,
            purposes: &[],
        };
        assert!(draft(true).examine(&key).is_ok());
        let refused = draft(false).examine(&key).err().unwrap();
        assert!(matches!(refused, AuthorityError::NotAsPlanned("basic constraints")), "{refused}");
    }

    #[test]
    fn what_the_examiner_finds_fault_with_is_not_signed() {
        let key = SigningKey::InMemory(keys::generate(KeyType::EcdsaP256).unwrap());
        let spki = key.spki().unwrap();
        let issuer = names::ca_subject("Client CA", "Lab").unwrap();
        let subject = names::end_entity_subject("svc").unwrap();
        let window = Window { not_before: UnixTime(1_800_000_000), not_after: UnixTime(1_807_000_000) };
        let party = "0f2ab1c4-6d1e-4c52-9a93-7a40d4c7e0aa";
        let (profile, at) = (policy::issuance::Profile::Service, window.not_before);
        let plan = policy::issuance::Plan::new(profile, "svc", party, spki.clone(), window, at);
        let checked = policy::issuance::check(plan, window, at).unwrap();
        let of = |spki: &[u8]| {
            let draft = Draft {
                serial: [1; 16],
                issuer: &issuer,
                subject: &subject,
                window,
                spki,
                extensions: extensions::end_entity(&subject, &checked, &[1; 20]).unwrap(),
                is_ca: false,
                purposes: &[extensions::CLIENT_AUTH],
            };
            draft.examine(&key).err()
        };
        assert!(of(&spki).is_none());
        // As planned, and faulty all the same: keys that everybody can compute.
        for weak in [
            &include_bytes!("../tests/keys/roca-2048.spki")[..],
            include_bytes!("../tests/keys/close-primes-2048.spki"),
            include_bytes!("../tests/keys/small-factor-2048.spki"),
        ] {
            let refused = of(weak).expect("a fault");
            assert!(matches!(refused, AuthorityError::Faulty { .. }), "{refused}");
        }
    }

    #[test]
    fn dates_change_their_form_in_2050() {
        let der = |text: &str| time(UnixTime::parse(text).unwrap()).unwrap().to_der().unwrap();
        assert_eq!(der("2049-12-31T23:59:59Z"), b"\x17\x0d491231235959Z");
        assert_eq!(der("2050-01-01T00:00:00Z"), b"\x18\x0f20500101000000Z");
    }
}
