//! Lists of revoked certificates, as far as a path needs them (RFC 5280 sections 5 and 6.3).

use std::collections::HashSet;

use crate::cert::UnixTime;
use crate::cert::tlv::{Budget, Element, read, tag};
use crate::chain::extensions::KeyUsageBits;
use crate::chain::{Algorithm, Examinee, Field, Place, moment};

use super::{Rules, signature};

type Refused = (&'static str, usize, String);

const CRL_NUMBER: &str = "2.5.29.20";
const ISSUING_DISTRIBUTION_POINT: &str = "2.5.29.28";
const AUTHORITY_KEY_ID: &str = "2.5.29.35";

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
    revoked: HashSet<Vec<u8>>,
    algorithm: Algorithm,
    signature: Vec<u8>,
}

/// Bytes that are no list of revoked certificates.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the list of revoked certificates cannot be read: it has no {0}")]
pub struct UnreadableCrl(pub &'static str);

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
        let mut revoked = HashSet::new();
        let mut unknown_critical = Vec::new();
        if let Some(entries) = rest.next_if(|e| e.is(tag::SEQUENCE)) {
            for entry in entries.children() {
                let serial =
                    entry.child(0).filter(|e| e.is(tag::INTEGER)).ok_or(missing("serial in an entry"))?;
                revoked.insert(significant(serial.content()).to_vec());
                if let Some(extensions) = entry.child(2) {
                    unknown_critical.extend(critical(extensions));
                }
            }
        }
        let extensions = rest.next().filter(|e| e.is_context(0)).and_then(|e| e.child(0));
        let number = extensions.and_then(|all| {
            let one =
                all.children().find(|e| e.child(0).and_then(Element::oid).as_deref() == Some(CRL_NUMBER))?;
            Some(one.children().find(|e| e.is(tag::OCTET_STRING))?.content().to_vec())
        });
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
            revoked,
            algorithm,
            signature,
            signed: list.bytes().to_vec(),
        })
    }

    /// Whether the list names this serial number (contents of the INTEGER).
    pub fn revokes(&self, serial: &[u8]) -> bool {
        self.revoked.contains(significant(serial))
    }

    /// Whether its signature verifies with this certificate's key.
    pub fn is_signed_by(&self, issuer: &Examinee) -> bool {
        let verifies = |key| signature::verifies(key, &self.algorithm, &self.signed, &self.signature);
        issuer.key.as_ref().is_some_and(verifies)
    }
}

/// An integer's contents without leading zero octets, so that two spellings of a serial number are one.
fn significant(content: &[u8]) -> &[u8] {
    let zeroes = content.iter().take_while(|octet| **octet == 0).count();
    &content[zeroes..]
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
            if list.this_update > rules.at || list.next_update.is_some_and(|next| next < rules.at) {
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
