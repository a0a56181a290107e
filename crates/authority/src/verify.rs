//! Signatures of others, verified: of requests, and of our own certificates when they are read from disk.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use der::Decode;
use examiner::PublicKey;
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// The algorithm is not known here, outdated, or not one of this key.
    Algorithm,
    /// It is not this key's signature of this message.
    Signature,
}

/// Verifies that `signature` of `message` was made with the key of `spki`.
pub(crate) fn verify(
    spki: &[u8],
    algorithm: ObjectIdentifier,
    message: &[u8],
    signature: &[u8],
) -> Result<(), Invalid> {
    let key = PublicKey::from_spki(spki).ok_or(Invalid::Algorithm)?;
    let verification = choose(&key, &algorithm.to_string()).ok_or(Invalid::Algorithm)?;
    let parsed = SubjectPublicKeyInfoRef::from_der(spki).map_err(|_| Invalid::Algorithm)?;
    UnparsedPublicKey::new(verification, parsed.subject_public_key.raw_bytes())
        .verify(message, signature)
        .map_err(|_| Invalid::Signature)
}

fn choose(key: &PublicKey, algorithm: &str) -> Option<&'static dyn VerificationAlgorithm> {
    const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";
    const ECDSA_SHA384: &str = "1.2.840.10045.4.3.3";
    const ECDSA_SHA512: &str = "1.2.840.10045.4.3.4";
    Some(match (key, algorithm) {
        (PublicKey::P256, ECDSA_SHA256) => &ECDSA_P256_SHA256_ASN1,
        (PublicKey::P256, ECDSA_SHA384) => &ECDSA_P256_SHA384_ASN1,
        (PublicKey::P256, ECDSA_SHA512) => &ECDSA_P256_SHA512_ASN1,
        (PublicKey::P384, ECDSA_SHA256) => &ECDSA_P384_SHA256_ASN1,
        (PublicKey::P384, ECDSA_SHA384) => &ECDSA_P384_SHA384_ASN1,
        (PublicKey::P384, ECDSA_SHA512) => &ECDSA_P384_SHA512_ASN1,
        (PublicKey::P521, ECDSA_SHA256) => &ECDSA_P521_SHA256_ASN1,
        (PublicKey::P521, ECDSA_SHA384) => &ECDSA_P521_SHA384_ASN1,
        (PublicKey::P521, ECDSA_SHA512) => &ECDSA_P521_SHA512_ASN1,
        (PublicKey::Rsa { .. }, "1.2.840.113549.1.1.11") => &RSA_PKCS1_2048_8192_SHA256,
        (PublicKey::Rsa { .. }, "1.2.840.113549.1.1.12") => &RSA_PKCS1_2048_8192_SHA384,
        (PublicKey::Rsa { .. }, "1.2.840.113549.1.1.13") => &RSA_PKCS1_2048_8192_SHA512,
        (PublicKey::Ed25519, "1.3.101.112") => &ED25519,
        _ => return None,
    })
}
