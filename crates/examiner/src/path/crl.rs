//! Lists of revoked certificates, as far as a path needs them (RFC 5280 sections 5 and 6.3).

use std::collections::HashMap;

use rustls_pki_types::CertificateRevocationListDer;
use rustls_pki_types::pem::PemObject;

use crate::cert::UnixTime;
use crate::cert::tlv::{Budget, DeviationKind, Element, read, tag};
use crate::chain::extensions::KeyUsageBits;
use crate::chain::{Algorithm, Examinee, Field, Place, moment};
use crate::dates::is_ahead;

use super::{Rules, signature};

type Refused = (&'static str, usize, String);

const CRL_NUMBER: &str = "2.5.29.20";
const ISSUING_DISTRIBUTION_POINT: &str = "2.5.29.28";
const AUTHORITY_KEY_ID: &str = "2.5.29.35";
const DELTA_INDICATOR: &str = "2.5.29.27";
const REASON_CODE: &str = "2.5.29.21";

/// A list of revoked certificates, read from DER.
#[derive(Clone, Debug)]
pub struct Crl {
    /// tbsCertList's DER, which is what is signed.
    signed: Vec<u8>,
    /// The issuer's name in DER.
    pub issuer: Vec<u8>,
    /// When it was made.
    pub this_update: UnixTime,
    /// When the next one is due; `None` where it does not say.
    pub next_update: Option<UnixTime>,
    /// Its number; `None` where it has none.
    pub number: Option<Vec<u8>>,
    /// The critical extensions, of the list and of its entries, that are not processed here; dotted.
    pub unknown_critical: Vec<String>,
    /// What of the certificates of its issuer it is about; `None` where it says nothing: all of them.
    pub scope: Option<Scope>,
    /// Whether it holds only what changed since another list.
    pub is_delta: bool,
    /// What in its structure may hide entries, in a few words.
    pub flaw: Option<&'static str>,
    revoked: HashMap<Vec<u8>, Entry>,
    algorithm: Algorithm,
    signature: Vec<u8>,
}

/// What a list says of one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Since when; `None` where its date cannot be read.
    pub since: Option<UnixTime>,
    /// The CRLReason (RFC 5280 section 5.3.1); `None` where it gives none that can be read.
    pub reason: Option<u8>,
}

/// An issuingDistributionPoint (RFC 5280 section 5.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// It is about the certificates that name one distribution point.
    pub one_distribution_point: bool,
    /// Only about end-entity certificates.
    pub only_end_entities: bool,
    /// Only about CA certificates.
    pub only_cas: bool,
    /// Only about some reasons.
    pub some_reasons: bool,
    /// About certificates of other issuers too.
    pub indirect: bool,
    /// Only about attribute certificates, or it cannot be read.
    pub nothing_of_ours: bool,
}

/// Bytes that are no list of revoked certificates.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the list of revoked certificates cannot be read: it has no {0}")]
pub struct UnreadableCrl(pub &'static str);

/// The DER of the one list in a PEM or DER file.
pub fn der_of(bytes: &[u8]) -> Result<Vec<u8>, UnreadableCrl> {
    if bytes.first() == Some(&0x30) {
        return Ok(bytes.to_vec());
    }
    let mut blocks = CertificateRevocationListDer::pem_slice_iter(bytes);
    match (blocks.next(), blocks.next()) {
        (Some(Ok(one)), None) => Ok(one.to_vec()),
        (None, _) => Err(UnreadableCrl("X509 CRL block, and is no DER")),
        (Some(Err(_)), _) => Err(UnreadableCrl("whole X509 CRL block")),
        (Some(Ok(_)), Some(_)) => Err(UnreadableCrl("single X509 CRL block: each list needs its own file")),
    }
}

impl Crl {
    /// Reads a list from DER.
    pub fn from_der(der: &[u8]) -> Result<Self, UnreadableCrl> {
        // A list may be large: its budget follows its size.
        let tree = read(der.into(), Budget { elements: der.len() / 2 + 16, ..Budget::default() });
        let missing = UnreadableCrl;
        let root = tree.root().filter(|root| root.is(tag::SEQUENCE)).ok_or(missing("outer SEQUENCE"))?;
        let list = root.child(0).filter(|e| e.is(tag::SEQUENCE)).ok_or(missing("tbsCertList"))?;
        let algorithm = root.child(1).ok_or(missing("signatureAlgorithm"))?;
        let algorithm = Algorithm::read(&Field {
            element: algorithm,
            place: Place::new("signatureAlgorithm", algorithm.range()),
        });
        let (signature, _) = root.child(2).and_then(Element::bit_string).ok_or(missing("signatureValue"))?;
        let signature = signature.to_vec();
        let mut rest = list.children().peekable();
        rest.next_if(|e| e.is(tag::INTEGER));
        rest.next_if(|e| e.is(tag::SEQUENCE)).ok_or(missing("signature"))?;
        let issuer = rest.next_if(|e| e.is(tag::SEQUENCE)).ok_or(missing("issuer"))?.bytes().to_vec();
        let this_update = rest.next().and_then(moment).ok_or(missing("thisUpdate"))?;
        let is_time = |e: &Element<'_>| e.is(tag::UTC_TIME) || e.is(tag::GENERALIZED_TIME);
        let next_update = match rest.next_if(is_time) {
            Some(time) => Some(moment(time).ok_or(missing("readable nextUpdate"))?),
            None => None,
        };
        let mut revoked = HashMap::new();
        let mut unknown_critical = Vec::new();
        if let Some(entries) = rest.next_if(|e| e.is(tag::SEQUENCE)) {
            for entry in entries.children() {
                let serial =
                    entry.child(0).filter(|e| e.is(tag::INTEGER)).ok_or(missing("serial in an entry"))?;
                let reason = entry.child(2).and_then(reason_code);
                let found = Entry { since: entry.child(1).and_then(moment), reason };
                revoked.insert(significant(serial.content()).to_vec(), found);
                if let Some(extensions) = entry.child(2) {
                    unknown_critical.extend(critical(extensions));
                }
            }
        }
        let last = rest.next();
        let leftover = last.is_some_and(|e| !e.is_context(0)) || rest.next().is_some();
        let extensions = last.filter(|e| e.is_context(0)).and_then(|e| e.child(0));
        let extension = |oid: &str| {
            let all = extensions?;
            let one = all.children().find(|e| e.child(0).and_then(Element::oid).as_deref() == Some(oid))?;
            Some(one.children().find(|e| e.is(tag::OCTET_STRING)).map_or(&[][..], Element::content))
        };
        let number = extension(CRL_NUMBER).map(<[u8]>::to_vec);
        let scope = extension(ISSUING_DISTRIBUTION_POINT).map(Scope::read);
        let is_delta = extension(DELTA_INDICATOR).is_some();
        let broken = tree.deviations.iter().map(|one| one.kind).find(|kind| hides(*kind));
        let flaw = broken.map(DeviationKind::words).or(leftover.then_some("a field in a place of its own"));
        if let Some(extensions) = extensions {
            unknown_critical.extend(critical(extensions).filter(|oid| {
                oid != CRL_NUMBER && oid != ISSUING_DISTRIBUTION_POINT && oid != AUTHORITY_KEY_ID
            }));
        }
        Ok(Self {
            issuer,
            this_update,
            next_update,
            number,
            unknown_critical,
            scope,
            is_delta,
            flaw,
            revoked,
            algorithm,
            signature,
            signed: list.bytes().to_vec(),
        })
    }

    /// Whether the list names this serial number (contents of the INTEGER).
    pub fn revokes(&self, serial: &[u8]) -> bool {
        self.revoked.contains_key(significant(serial))
    }

    /// What it says of which serial number, these without leading zero octets as by [`significant`]; in no order.
    pub fn into_entries(self) -> impl Iterator<Item = (Vec<u8>, Entry)> {
        self.revoked.into_iter()
    }

    /// Its number as an unsigned integer, big-endian without leading zeroes; `None` where it has none that can be read.
    pub fn number_octets(&self) -> Option<Vec<u8>> {
        let tree = read(self.number.as_deref()?.into(), Budget::default());
        let integer = tree.root().filter(|e| e.is(tag::INTEGER))?;
        Some(significant(integer.content()).to_vec())
    }

    /// How many certificates it names.
    pub fn count(&self) -> usize {
        self.revoked.len()
    }

    /// The algorithm of its signature, dotted.
    pub fn signature_algorithm(&self) -> &str {
        &self.algorithm.oid
    }

    /// Whether its signature verifies with this certificate's key.
    pub fn is_signed_by(&self, issuer: &Examinee) -> bool {
        let verifies = |key| signature::verifies(key, &self.algorithm, &self.signed, &self.signature);
        issuer.key.as_ref().is_some_and(verifies)
    }
}

/// An integer's contents without leading zero octets, so that two spellings of a serial number are one.
pub fn significant(content: &[u8]) -> &[u8] {
    let zeroes = content.iter().take_while(|octet| **octet == 0).count();
    &content[zeroes..]
}

/// The CRLReason among an entry's extensions.
fn reason_code(extensions: Element<'_>) -> Option<u8> {
    let one =
        extensions.children().find(|e| e.child(0).and_then(Element::oid).as_deref() == Some(REASON_CODE));
    let value = one?.children().find(|e| e.is(tag::OCTET_STRING))?.content();
    match value {
        [0x0a, 1, reason] => Some(*reason),
        _ => None,
    }
}

/// Whether behind such a departure from DER entries may be lost.
fn hides(kind: DeviationKind) -> bool {
    use DeviationKind as Kind;
    matches!(
        kind,
        Kind::Truncated
            | Kind::ReservedLength
            | Kind::IndefiniteLength
            | Kind::StrayEndOfContents
            | Kind::PrimitiveConstructed
            | Kind::TrailingBytes
            | Kind::TooDeep
            | Kind::TooMany
    )
}

impl Scope {
    fn read(der: &[u8]) -> Self {
        let tree = read(der.into(), Budget::default());
        let Some(root) = tree.root().filter(|root| root.is(tag::SEQUENCE) && tree.deviations.is_empty())
        else {
            return Self { nothing_of_ours: true, ..Self::default() };
        };
        // The flags are implicitly tagged BOOLEANs; one that is written and false means nothing.
        let set = |number| root.context_child(number).is_some_and(|e| e.content() != [0]);
        Self {
            one_distribution_point: root.context_child(0).is_some(),
            only_end_entities: set(1),
            only_cas: set(2),
            some_reasons: root.context_child(3).is_some(),
            indirect: set(4),
            nothing_of_ours: set(5),
        }
    }
}

/// The types of the critical extensions of a list of extensions.
fn critical<'a>(extensions: Element<'a>) -> impl Iterator<Item = String> + 'a {
    let marked = |e: &Element<'_>| e.child(1).and_then(Element::boolean) == Some(true);
    extensions.children().filter(marked).map(|e| e.child(0).and_then(Element::oid).unwrap_or_default())
}

/// Whether no certificate of the path is revoked, by the lists of its issuers. A list that does not hold decides
/// against: who gave it wants it obeyed.
pub(super) fn none_revoked(path: &[&Examinee], rules: &Rules<'_>) -> Result<(), Refused> {
    for (at, pair) in path.windows(2).enumerate() {
        let (certificate, issuer) = (pair[0], pair[1]);
        for list in rules.crls.iter().filter(|list| list.issuer == issuer.subject_der()) {
            let fault = |id, why: &str| Err((id, at, why.to_owned()));
            if issuer.known.key_usage.read().is_some_and(|usage| !usage.has(KeyUsageBits::CRL_SIGN)) {
                return fault(
                    "crl-issuer-no-crlsign",
                    "its issuer may not sign lists of revoked certificates",
                );
            }
            if !list.is_signed_by(issuer) {
                return fault("crl-signature-or-issuer-wrong", "its issuer's list does not verify");
            }
            if is_ahead(list.this_update, rules.at) || list.next_update.is_some_and(|next| next < rules.at) {
                return fault("crl-unreachable-expired", "its issuer's list is not of this time");
            }
            if list.number.is_none() || !list.unknown_critical.is_empty() {
                return fault(
                    "crl-profile",
                    "its issuer's list has no number, or an unknown critical extension",
                );
            }
            if list.revokes(certificate.serial()) {
                return fault("revoked-crl", "its issuer's list revokes it");
            }
        }
    }
    Ok(())
}
