//! The answers of an OCSP responder (RFC 6960), and the certificate that it answers with.
//!
//! A responder holds a key of its own, certified by the CA for this and nothing else and for a day: [`delegate`].
//! What is asked is read in [`request`]; the forms of both are in `wire`.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use der::asn1::{Any, BitString, Null, OctetString};
use der::{Decode, Encode};
use examiner::{Certificate, UnixTime};
use policy::issuance::Reason;
use spki::SubjectPublicKeyInfoRef;
use x509_cert::ext::Extension;

use crate::crl;
use crate::error::AuthorityError;
use crate::keys::PrivateKey;

pub mod delegate;
pub mod request;
mod wire;

pub use request::{Malformed, Request, Wanted};

/// How long an answer may be taken for true, in seconds: one hour.
pub const LIFE_SECONDS: i64 = 3600;

/// What is on record of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is not revoked.
    Good,
    /// It is revoked, or on hold.
    Revoked {
        /// Since when.
        at: UnixTime,
        /// Why; `Unspecified` is left out (RFC 5280 section 5.3.1).
        reason: Reason,
    },
    /// There is no record of it.
    Unknown,
}

/// Why there is no answer (RFC 6960 section 4.2.1); it is told without a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request cannot be read, or asks for what there is not.
    MalformedRequest,
    /// The responder failed.
    InternalError,
    /// It cannot answer now.
    TryLater,
    /// It does not answer for the issuer that is asked for.
    Unauthorized,
}

impl Refusal {
    /// OCSPResponse with this status and nothing else.
    pub fn to_der(self) -> Vec<u8> {
        let status = match self {
            Self::MalformedRequest => 1,
            Self::InternalError => 2,
            Self::TryLater => 3,
            Self::Unauthorized => 6,
        };
        vec![0x30, 3, 0x0a, 1, status]
    }
}

/// Answers for one CA, with the key that the CA certified for this.
#[derive(Debug)]
pub struct Responder {
    key: PrivateKey,
    certificate: Certificate,
    issuer: Certificate,
    responder: OctetString,
}

impl Responder {
    /// A responder for `issuer`. `Err(NotDelegated)` where the issuer did not name this key for it.
    pub fn new(
        key: PrivateKey,
        certificate: Certificate,
        issuer: Certificate,
    ) -> Result<Self, AuthorityError> {
        if !delegate::is_named_by(&certificate, &issuer) || key.spki()? != *certificate.spki {
            return Err(AuthorityError::NotDelegated);
        }
        let spki = SubjectPublicKeyInfoRef::from_der(&certificate.spki)?;
        let by_key = digest(&SHA1_FOR_LEGACY_USE_ONLY, spki.subject_public_key.raw_bytes());
        Ok(Self { responder: OctetString::new(by_key.as_ref())?, key, certificate, issuer })
    }

    /// The CA that it answers for.
    pub fn issuer(&self) -> &Certificate {
        &self.issuer
    }

    /// Last second at which others take its answers.
    pub fn not_after(&self) -> UnixTime {
        self.certificate.not_after
    }

    /// Whether another key is due: a third of its life is used, or the clock is behind it.
    pub fn is_due(&self, now: UnixTime) -> bool {
        let Certificate { not_before, not_after, .. } = self.certificate;
        let third = (not_after.seconds() - not_before.seconds()) / 3;
        now < not_before || now.seconds() >= not_before.seconds() + third
    }

    /// The signed answer to a request, with one status for each certificate that is asked for, in its order. It holds from `now` for [`LIFE_SECONDS`].
    pub fn answer(
        &self,
        request: &Request,
        statuses: &[Status],
        now: UnixTime,
    ) -> Result<Vec<u8>, AuthorityError> {
        let next = now.plus(LIFE_SECONDS).min(self.certificate.not_after);
        let mut responses = Vec::with_capacity(request.wanted.len());
        for (wanted, status) in request.wanted.iter().zip(statuses) {
            responses.push(wire::SingleResponse {
                cert_id: wanted.id.clone(),
                status: status_of(status)?,
                this_update: wire::time(now)?,
                next_update: Some(wire::time(next)?),
            });
        }
        let nonce = request.nonce.as_ref().map(|nonce| nonce_extension(nonce)).transpose()?;
        let data = wire::ResponseData {
            responder: wire::ResponderId::ByKey(self.responder.clone()),
            produced_at: wire::time(now)?,
            responses,
            extensions: nonce.map(|nonce| vec![nonce]),
        };
        let content = data.to_der()?;
        let basic = wire::BasicResponse {
            algorithm: self.key.algorithm(),
            signature: BitString::from_bytes(&self.key.sign(&content)?)?,
            data: Any::from_der(&content)?,
            certificates: Some(vec![Any::from_der(&self.certificate.der)?]),
        };
        let bytes = wire::ResponseBytes { kind: wire::BASIC, response: OctetString::new(basic.to_der()?)? };
        Ok(wire::Response { status: wire::ResponseStatus::Successful, bytes: Some(bytes) }.to_der()?)
    }
}

fn status_of(status: &Status) -> der::Result<wire::CertStatus> {
    Ok(match status {
        Status::Good => wire::CertStatus::Good(Null),
        Status::Unknown => wire::CertStatus::Unknown(Null),
        Status::Revoked { at, reason } => {
            wire::CertStatus::Revoked(wire::RevokedInfo { at: wire::time(*at)?, reason: crl::code(*reason) })
        }
    })
}

/// The nonce as it came (RFC 9654 section 2.1).
fn nonce_extension(nonce: &[u8]) -> der::Result<Extension> {
    let value = OctetString::new(OctetString::new(nonce)?.to_der()?)?;
    Ok(Extension { extn_id: wire::NONCE, critical: false, extn_value: value })
}
