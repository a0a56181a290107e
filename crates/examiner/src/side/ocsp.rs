//! OCSP responses (RFC 6960): read, matched with a certificate, and verified.

use aws_lc_rs::digest::{Algorithm as Hash, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};

use crate::cert::UnixTime;
use crate::cert::tlv::{Budget, Element, read, tag};
use crate::chain::{Algorithm, Examinee, Field, Place, SignedTimestamp, moment};
use crate::path::signature;

/// id-kp-OCSPSigning.
const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";
/// id-pkix-ocsp-basic.
const BASIC: &str = "1.3.6.1.5.5.7.48.1.1";
/// The list of signed certificate timestamps (RFC 6962 section 3.3).
const TIMESTAMPS: &str = "1.3.6.1.4.1.11129.2.4.5";

/// A response of a responder.
#[derive(Clone, Debug)]
pub struct OcspResponse {
    /// responseStatus; 0 is success, and with all else there is no answer.
    pub status: u64,
    /// Who says that he answers; `None` where there is no answer.
    pub responder: Option<Responder>,
    /// When it was made.
    pub produced_at: Option<UnixTime>,
    /// What it says of each certificate.
    pub answers: Vec<Answer>,
    /// How it is signed; `None` where there is no answer.
    pub algorithm: Option<Algorithm>,
    /// The certificates that came with it.
    pub certificates: Vec<Examinee>,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

/// ResponderID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Responder {
    /// By the DER of his name.
    Name(Vec<u8>),
    /// By SHA-1 of his key.
    Key(Vec<u8>),
}

/// What is said of one certificate.
#[derive(Clone, Debug)]
pub struct Answer {
    /// good, revoked or unknown.
    pub status: Status,
    /// From when it holds.
    pub this_update: UnixTime,
    /// When newer information is due; `None` where it does not say.
    pub next_update: Option<UnixTime>,
    /// The list of signed certificate timestamps in its extensions (RFC 6962 section 3.3); `None` where there is none.
    pub timestamps: Option<Vec<u8>>,
    hash: String,
    issuer_name_hash: Vec<u8>,
    issuer_key_hash: Vec<u8>,
    serial: Vec<u8>,
}

/// certStatus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not revoked.
    Good,
    /// Revoked at this moment.
    Revoked(UnixTime),
    /// The responder does not know the certificate.
    Unknown,
}

/// Bytes that are no OCSP response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the OCSP response cannot be read: it has no {0}")]
pub struct UnreadableOcsp(pub &'static str);

/// Why a response was not made by somebody who may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerFault {
    /// The certificate of the responder is not at hand.
    Missing,
    /// The signature does not verify with the responder's key.
    Signature,
    /// The responder's certificate was not issued by the issuer of the certificate in question.
    OtherIssuer,
    /// The responder's certificate does not list the purpose OCSP signing.
    Purpose,
    /// The responder's certificate is not valid at the moment.
    Time,
}

impl OcspResponse {
    /// Reads a response from DER.
    pub fn from_der(der: &[u8]) -> Result<Self, UnreadableOcsp> {
        let missing = UnreadableOcsp;
        let tree = read(der.into(), Budget::default());
        let root = tree.root().filter(|root| root.is(tag::SEQUENCE)).ok_or(missing("outer SEQUENCE"))?;
        let status = root.child(0).filter(|e| e.is(tag::ENUMERATED)).ok_or(missing("responseStatus"))?;
        let status = crate::cert::tlv::unsigned(status.content()).ok_or(missing("responseStatus"))?;
        let mut response = Self {
            status,
            responder: None,
            produced_at: None,
            answers: Vec::new(),
            algorithm: None,
            certificates: Vec::new(),
            signed: Vec::new(),
            signature: Vec::new(),
        };
        let Some(bytes) = root.context_child(0).and_then(|bytes| bytes.child(0)) else {
            return if status == 0 { Err(missing("responseBytes")) } else { Ok(response) };
        };
        if bytes.child(0).and_then(Element::oid).as_deref() != Some(BASIC) {
            return Err(missing("basic response"));
        }
        let inner = bytes.child(1).filter(|e| e.is(tag::OCTET_STRING)).ok_or(missing("response"))?;
        let tree = read(inner.content().into(), Budget::default());
        response
            .read_basic(tree.root().filter(|e| e.is(tag::SEQUENCE)).ok_or(missing("BasicOCSPResponse"))?)?;
        Ok(response)
    }

    fn read_basic(&mut self, basic: Element<'_>) -> Result<(), UnreadableOcsp> {
        let missing = UnreadableOcsp;
        let data = basic.child(0).filter(|e| e.is(tag::SEQUENCE)).ok_or(missing("tbsResponseData"))?;
        let algorithm =
            basic.child(1).filter(|e| e.is(tag::SEQUENCE)).ok_or(missing("signatureAlgorithm"))?;
        let (signature, _) = basic.child(2).and_then(Element::bit_string).ok_or(missing("signature"))?;
        let place = Place::new("signatureAlgorithm", algorithm.range());
        self.algorithm = Some(Algorithm::read(&Field { element: algorithm, place }));
        self.signature = signature.to_vec();
        self.signed = data.bytes().to_vec();
        if let Some(all) = basic.context_child(0).and_then(|all| all.child(0)) {
            self.certificates = all.children().map(|one| Examinee::read(one.bytes())).collect();
        }
        let mut rest = data.children().peekable();
        rest.next_if(|e| e.is_context(0));
        let responder = rest.next().ok_or(missing("responderID"))?;
        let inner = responder.child(0).ok_or(missing("responderID"))?;
        self.responder = Some(match responder {
            e if e.is_context(1) => Responder::Name(inner.bytes().to_vec()),
            e if e.is_context(2) => Responder::Key(inner.content().to_vec()),
            _ => return Err(missing("responderID")),
        });
        self.produced_at = Some(rest.next().and_then(moment).ok_or(missing("producedAt"))?);
        let answers = rest.next().filter(|e| e.is(tag::SEQUENCE)).ok_or(missing("responses"))?;
        self.answers = answers.children().map(Answer::read).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// What it says of the certificate of this issuer.
    pub fn about(&self, certificate: &Examinee, issuer: &Examinee) -> Option<&Answer> {
        self.answers.iter().find(|answer| answer.is_about(certificate, issuer))
    }

    /// The timestamps of logs that it carries for this certificate, which it names by serial number (RFC 6962 section 3.3.2);
    /// `None` where there is no list of them.
    pub fn timestamps_for(&self, certificate: &Examinee) -> Option<Vec<SignedTimestamp>> {
        let mut answers = self.answers.iter().filter(|answer| answer.serial == certificate.serial());
        let list = answers.find_map(|answer| answer.timestamps.as_deref())?;
        SignedTimestamp::stapled(list).ok()
    }

    /// The certificate whose key signed, where its holder may speak for `issuer`: the issuer itself, or who it issued a
    /// certificate for OCSP signing (RFC 6960 section 4.2.2.2).
    pub fn signer<'a>(&'a self, issuer: &'a Examinee, at: UnixTime) -> Result<&'a Examinee, SignerFault> {
        let named = |one: &Examinee| match &self.responder {
            Some(Responder::Name(name)) => one.subject_der() == name,
            Some(Responder::Key(hash)) => one
                .key
                .as_ref()
                .is_some_and(|key| digest(&SHA1_FOR_LEGACY_USE_ONLY, &key.bits).as_ref() == hash.as_slice()),
            None => false,
        };
        let signed_by = |one: &Examinee| match (&one.key, &self.algorithm) {
            (Some(key), Some(algorithm)) => {
                signature::verifies(key, algorithm, &self.signed, &self.signature)
            }
            _ => false,
        };
        if named(issuer) && signed_by(issuer) {
            return Ok(issuer);
        }
        let mut candidates = self.certificates.iter().filter(|one| named(one)).peekable();
        if candidates.peek().is_none() {
            return Err(if named(issuer) { SignerFault::Signature } else { SignerFault::Missing });
        }
        let Some(signer) = candidates.find(|one| signed_by(one)) else { return Err(SignerFault::Signature) };
        let same_key = |one: &Examinee| {
            one.subject_der() == issuer.subject_der()
                && one.key.as_ref().map(|key| &key.bits) == issuer.key.as_ref().map(|key| &key.bits)
        };
        if same_key(signer) {
            return Ok(issuer);
        }
        if signer.issuer_der() != issuer.subject_der() || signature::verdict(signer, issuer) != Some(true) {
            return Err(SignerFault::OtherIssuer);
        }
        if !signer.has_purpose(OCSP_SIGNING) {
            return Err(SignerFault::Purpose);
        }
        let holds = matches!((signer.not_before, signer.not_after), (Some(a), Some(b)) if a <= at && at <= b);
        if holds { Ok(signer) } else { Err(SignerFault::Time) }
    }
}

/// The list of timestamps among the singleExtensions. What is no such list is none.
fn timestamps(single: Element<'_>) -> Option<Vec<u8>> {
    let all = single.children().skip(3).find(|e| e.is_context(1))?.child(0)?;
    let extension =
        all.children().find(|one| one.child(0).and_then(Element::oid).as_deref() == Some(TIMESTAMPS))?;
    let value = extension.children().find(|e| e.is(tag::OCTET_STRING))?;
    let tree = read(value.content().into(), Budget::default());
    let inner = tree.root().filter(|e| e.is(tag::OCTET_STRING))?;
    Some(inner.content().to_vec())
}

impl Answer {
    /// The serial number that it speaks of, as the INTEGER's contents.
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    fn read(single: Element<'_>) -> Result<Self, UnreadableOcsp> {
        let missing = UnreadableOcsp;
        let id = single.child(0).filter(|e| e.is(tag::SEQUENCE)).ok_or(missing("certID"))?;
        let part = |i: usize, kind: u32| id.child(i).filter(|e| e.is(kind)).map(|e| e.content().to_vec());
        let hash = id.child(0).and_then(|algorithm| algorithm.child(0)).and_then(Element::oid);
        let status = match single.child(1).ok_or(missing("certStatus"))? {
            e if e.is_context(0) => Status::Good,
            e if e.is_context(1) => {
                Status::Revoked(e.child(0).and_then(moment).ok_or(missing("revocationTime"))?)
            }
            e if e.is_context(2) => Status::Unknown,
            _ => return Err(missing("certStatus")),
        };
        let next_update = match single.children().skip(3).find(|e| e.is_context(0)) {
            Some(next) => Some(next.child(0).and_then(moment).ok_or(missing("readable nextUpdate"))?),
            None => None,
        };
        Ok(Self {
            status,
            this_update: single.child(2).and_then(moment).ok_or(missing("thisUpdate"))?,
            next_update,
            timestamps: timestamps(single),
            hash: hash.ok_or(missing("hashAlgorithm"))?,
            issuer_name_hash: part(1, tag::OCTET_STRING).ok_or(missing("issuerNameHash"))?,
            issuer_key_hash: part(2, tag::OCTET_STRING).ok_or(missing("issuerKeyHash"))?,
            serial: part(3, tag::INTEGER).ok_or(missing("serialNumber"))?,
        })
    }

    fn is_about(&self, certificate: &Examinee, issuer: &Examinee) -> bool {
        let hash: &'static Hash = match self.hash.as_str() {
            "1.3.14.3.2.26" => &SHA1_FOR_LEGACY_USE_ONLY,
            "2.16.840.1.101.3.4.2.1" => &SHA256,
            "2.16.840.1.101.3.4.2.2" => &SHA384,
            "2.16.840.1.101.3.4.2.3" => &SHA512,
            _ => return false,
        };
        let of = |bytes: &[u8], expected: &[u8]| digest(hash, bytes).as_ref() == expected;
        // The whole serial number: a part of it in common is another certificate.
        !self.serial.is_empty()
            && self.serial == certificate.serial()
            && of(issuer.subject_der(), &self.issuer_name_hash)
            && issuer.key.as_ref().is_some_and(|key| of(&key.bits, &self.issuer_key_hash))
    }
}
