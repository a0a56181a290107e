//! Possession: whether the signature in the handshake was made with the key of the presented certificate.
//!
//! Only the key is read, by its place in the certificate (RFC 5280 section 4.1): certificates that a stricter reader
//! refuses (version 1, unknown critical extensions) are still heard, and judged afterwards.

use examiner::PublicKey;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::SubjectPublicKeyInfoDer;

use crate::proof_rsa;

/// Checks the signature of a TLS 1.3 CertificateVerify message.
pub fn tls13(
    message: &[u8],
    certificate: &[u8],
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<(), Error> {
    let key = key_of(certificate).ok_or(UNREADABLE)?;
    let checked =
        verify_tls13_signature_with_raw_key(message, &SubjectPublicKeyInfoDer::from(key), signed, algorithms);
    match checked {
        Ok(_) => Ok(()),
        // PKCS#1 v1.5 is no scheme of TLS 1.3, whatever the key.
        Err(error) if !PSS.contains(&signed.scheme) => Err(error),
        Err(error) => unusual_rsa(message, key, signed).then_some(()).ok_or(error),
    }
}

/// Checks the signature of a TLS 1.2 CertificateVerify message.
pub fn tls12(
    message: &[u8],
    certificate: &[u8],
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<(), Error> {
    let key = key_of(certificate).ok_or(UNREADABLE)?;
    let (algorithm, bits) = parts_of(key).ok_or(UNREADABLE)?;
    let candidates = algorithms.mapping.iter().find(|(scheme, _)| *scheme == signed.scheme);
    let fitting = candidates
        .into_iter()
        .flat_map(|(_, all)| all.iter())
        .filter(|candidate| candidate.public_key_alg_id().as_ref() == algorithm);
    for candidate in fitting {
        if candidate.verify_signature(bits, message, signed.signature()).is_ok() {
            return Ok(());
        }
    }
    let offered = algorithms.mapping.iter().any(|(scheme, _)| *scheme == signed.scheme);
    if offered && unusual_rsa(message, key, signed) {
        return Ok(());
    }
    Err(Error::InvalidCertificate(CertificateError::BadSignature))
}

/// The RSA schemes of TLS 1.3.
const PSS: [SignatureScheme; 3] =
    [SignatureScheme::RSA_PSS_SHA256, SignatureScheme::RSA_PSS_SHA384, SignatureScheme::RSA_PSS_SHA512];

/// Content of the algorithm identifier rsaEncryption with NULL parameters.
const RSA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];

/// Whether the signature was made with an RSA key of a size or exponent that the library does not take.
fn unusual_rsa(message: &[u8], key: &[u8], signed: &DigitallySignedStruct) -> bool {
    let weak = PublicKey::from_spki(key).is_some_and(|key| key.weakness().is_some());
    let Some((RSA, bits)) = parts_of(key).filter(|_| weak) else { return false };
    let numbers = || {
        let mut fields = Reader(Reader(bits).take(0x30)?.content);
        Some((fields.take(0x02)?.content, fields.take(0x02)?.content))
    };
    let Some((modulus, exponent)) = numbers() else { return false };
    proof_rsa::holds(modulus, exponent, signed.scheme, message, signed.signature())
}

const UNREADABLE: Error = Error::InvalidCertificate(CertificateError::BadEncoding);

/// The SubjectPublicKeyInfo of a certificate, as it stands there.
fn key_of(certificate: &[u8]) -> Option<&[u8]> {
    let mut outer = Reader(certificate);
    let mut certificate = Reader(outer.take(0x30)?.content);
    let mut tbs = Reader(certificate.take(0x30)?.content);
    if tbs.0.first() == Some(&0xa0) {
        tbs.take(0xa0)?;
    }
    tbs.take(0x02)?;
    for _field in ["signature", "issuer", "validity", "subject"] {
        tbs.take(0x30)?;
    }
    Some(tbs.take(0x30)?.whole)
}

/// Content of the algorithm identifier, and the key's bits.
fn parts_of(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut outer = Reader(key);
    let mut fields = Reader(outer.take(0x30)?.content);
    let algorithm = fields.take(0x30)?.content;
    let bits = fields.take(0x03)?.content;
    Some((algorithm, bits.strip_prefix(&[0])?))
}

struct Reader<'a>(&'a [u8]);

struct Element<'a> {
    whole: &'a [u8],
    content: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The next element, if it has this tag. Lengths up to three bytes.
    fn take(&mut self, tag: u8) -> Option<Element<'a>> {
        let bytes = self.0;
        if *bytes.first()? != tag {
            return None;
        }
        let first = *bytes.get(1)?;
        let (length, header) = match first {
            0..=0x7f => (usize::from(first), 2),
            0x81..=0x83 => {
                let digits = usize::from(first & 0x7f);
                let length =
                    bytes.get(2..2 + digits)?.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
                (length, 2 + digits)
            }
            _ => return None,
        };
        let whole = bytes.get(..header + length)?;
        self.0 = &bytes[header + length..];
        Some(Element { whole, content: &whole[header..] })
    }
}
