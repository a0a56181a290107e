//! Certification requests (RFC 2986): only the public key is taken, once its owner has shown to hold it.
//!
//! Names, purposes, CA powers and whatever else a request asks for are not even read.

use std::collections::BTreeSet;

use der::asn1::BitStringRef;
use der::{AnyRef, Decode, Encode, Sequence, SliceReader, Tag, Tagged};
use examiner::PublicKey;
use rustls_pki_types::pem::{self, SectionKind};
use spki::{AlgorithmIdentifierRef, ObjectIdentifier};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::request::CertReq;

use crate::verify::{self, Invalid};

const ID_EXTENSION_REQ: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");
const ID_CE_SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

/// No request is larger, in bytes.
const SIZE_MOST: usize = 64 * 1024;

/// The public key of a request, its possession proven and its strength checked: [`read`] alone makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    spki: Vec<u8>,
}

impl RequestKey {
    /// The SubjectPublicKeyInfo, DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The same, for keeps.
    pub fn into_spki(self) -> Vec<u8> {
        self.spki
    }
}

/// Why a request was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsrError {
    /// No request, or a broken one.
    #[error("this is no certificate request: {0}")]
    Malformed(&'static str),
    /// More than one request, or anything after it.
    #[error("something follows the request's end")]
    TrailingData,
    /// The key in it did not sign it.
    #[error("the request's signature does not match its own public key")]
    NoProofOfPossession,
    /// Signed in a way that proves nothing any more, or that is not known.
    #[error("the request is signed with {0}, which is not accepted")]
    SignatureAlgorithm(String),
    /// A key that can be computed, or of an unknown kind.
    #[error("the request's public key is not accepted: {0}")]
    WeakKey(String),
}

impl CsrError {
    /// What the requester can do next; printed after `help:`.
    pub fn remedy(&self) -> String {
        match self {
            Self::Malformed(_) => "Give a PKCS#10 request, PEM (CERTIFICATE REQUEST) or DER.".into(),
            Self::TrailingData => "Give one request alone.".into(),
            Self::NoProofOfPossession => "Create the request again with the key it names.".into(),
            Self::SignatureAlgorithm(_) => {
                "Sign the request with SHA-256 or better (openssl req -sha256).".into()
            }
            Self::WeakKey(_) => "Make a new key: ECDSA P-256, or RSA with 2048 bits or more.".into(),
        }
    }
}

#[derive(Sequence)]
struct Request<'a> {
    info: AnyRef<'a>,
    algorithm: AlgorithmIdentifierRef<'a>,
    signature: BitStringRef<'a>,
}

/// Takes the public key out of a request, PEM or DER. Text may stand before a PEM block, nothing after it.
///
/// Refuses weak keys, signatures that are not the key's own, and trailing data.
pub fn read(bytes: &[u8]) -> Result<RequestKey, CsrError> {
    read_der(&to_der(bytes)?)
}

/// The DNS names that a request, DER, asks for, in lower case: its common name and those of its subjectAltName. For who has
/// to hold them against what was ordered (RFC 8555 section 7.4); nothing of them is ever issued.
///
/// `Err(Malformed)` also where it asks for names of another kind.
pub fn names(der: &[u8]) -> Result<BTreeSet<String>, CsrError> {
    let broken = |_| CsrError::Malformed("its DER cannot be read");
    let request = CertReq::from_der(der).map_err(broken)?;
    let mut names = BTreeSet::new();
    if let Some(name) = request.info.subject.common_name().map_err(broken)? {
        names.insert(name.value().to_ascii_lowercase());
    }
    for attribute in request.info.attributes.iter().filter(|one| one.oid == ID_EXTENSION_REQ) {
        for value in attribute.values.iter() {
            let extensions: Vec<Extension> = value.decode_as().map_err(broken)?;
            for extension in extensions.iter().filter(|one| one.extn_id == ID_CE_SUBJECT_ALT_NAME) {
                let all = SubjectAltName::from_der(extension.extn_value.as_bytes()).map_err(broken)?;
                for name in &all.0 {
                    let GeneralName::DnsName(name) = name else {
                        return Err(CsrError::Malformed("it asks for names of another kind than DNS"));
                    };
                    names.insert(name.as_str().to_ascii_lowercase());
                }
            }
        }
    }
    Ok(names)
}

/// The request's DER, of PEM or DER; nothing of it is looked at.
pub fn to_der(bytes: &[u8]) -> Result<Vec<u8>, CsrError> {
    if bytes.len() > SIZE_MOST {
        return Err(CsrError::Malformed("it is larger than 64 kB"));
    }
    if bytes.first() == Some(&0x30) { Ok(bytes.to_vec()) } else { from_pem(bytes) }
}

fn from_pem(bytes: &[u8]) -> Result<Vec<u8>, CsrError> {
    let text = std::str::from_utf8(bytes).map_err(|_| CsrError::Malformed("it is neither PEM nor DER"))?;
    // Some programs write the older label; it means the same.
    let text = text.replace(" NEW CERTIFICATE REQUEST-----", " CERTIFICATE REQUEST-----");
    let mut rest = text.as_bytes();
    let der = match pem::from_buf(&mut rest) {
        Ok(Some((SectionKind::Csr, der))) => der,
        Ok(Some(_)) => return Err(CsrError::Malformed("the PEM block is of another kind")),
        Ok(None) => return Err(CsrError::Malformed("there is no CERTIFICATE REQUEST block")),
        Err(_) => return Err(CsrError::Malformed("the PEM text is broken")),
    };
    if rest.iter().any(|byte| !byte.is_ascii_whitespace()) {
        return Err(CsrError::TrailingData);
    }
    Ok(der)
}

fn read_der(der: &[u8]) -> Result<RequestKey, CsrError> {
    let request = Request::from_der(der).map_err(|e| match e.kind() {
        der::ErrorKind::TrailingData { .. } => CsrError::TrailingData,
        _ => CsrError::Malformed("its DER cannot be read"),
    })?;
    let (info, spki) = key_of(&request).map_err(|_| CsrError::Malformed("its DER cannot be read"))?;
    PublicKey::from_spki(&spki).ok_or(CsrError::Malformed("its public key cannot be read"))?;
    if let Some(what) = examiner::key_flaw(&spki) {
        return Err(CsrError::WeakKey(what));
    }
    let signature = request.signature.as_bytes().ok_or(CsrError::NoProofOfPossession)?;
    verify::verify(&spki, request.algorithm.oid, &info, signature).map_err(|invalid| match invalid {
        Invalid::Algorithm => CsrError::SignatureAlgorithm(request.algorithm.oid.to_string()),
        Invalid::Signature => CsrError::NoProofOfPossession,
    })?;
    Ok(RequestKey { spki })
}

/// The signed part (CertificationRequestInfo) and the SubjectPublicKeyInfo inside it; the rest is passed over.
fn key_of(request: &Request<'_>) -> der::Result<(Vec<u8>, Vec<u8>)> {
    request.info.tag().assert_eq(Tag::Sequence)?;
    let mut fields = SliceReader::new(request.info.value())?;
    u8::decode(&mut fields)?;
    AnyRef::decode(&mut fields)?;
    let spki = AnyRef::decode(&mut fields)?;
    Ok((request.info.to_der()?, spki.to_der()?))
}
