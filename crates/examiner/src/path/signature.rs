//! Signatures verified, with the algorithms that the standards name.

use aws_lc_rs::signature::{self as lc, UnparsedPublicKey, VerificationAlgorithm};

use crate::cert::tlv::{Budget, Element, read};
use crate::chain::{Algorithm, Examinee, Key, KeyParts};

/// Whether the certificate's signature verifies with the issuer's key. `None` where it cannot be told: a field is
/// missing, or the algorithm or the size of the key is not known here.
pub fn verdict(certificate: &Examinee, issuer: &Examinee) -> Option<bool> {
    let fields = certificate.fields();
    let (tbs, signature, key) = (fields.tbs?, fields.signature?, issuer.key.as_ref()?);
    let algorithm = certificate.signature_algorithm.as_ref()?;
    let kind = if algorithm.oid.starts_with("1.2.840.113549.1.1.") {
        Some(Key::RSA)
    } else if algorithm.oid.starts_with("1.2.840.10045.4.") {
        Some(Key::EC)
    } else {
        None
    };
    // A signature of one kind never verifies with a key of another, nor with one that cannot be read.
    if key.parts == KeyParts::Wrong || kind.is_some_and(|kind| kind != key.algorithm.oid) {
        return Some(false);
    }
    let scheme = scheme(key, algorithm)?;
    match signature.element.bit_string() {
        Some((signature, 0)) => {
            Some(UnparsedPublicKey::new(scheme, &key.bits).verify(tbs.element.bytes(), signature).is_ok())
        }
        _ => Some(false),
    }
}

/// Whether a signature by this algorithm verifies with this key.
pub fn verifies(key: &Key, algorithm: &Algorithm, message: &[u8], signature: &[u8]) -> bool {
    told(key, algorithm, message, signature) == Some(true)
}

/// The same; `None` where it cannot be told, because the algorithm or the size of the key is not known here.
pub fn told(key: &Key, algorithm: &Algorithm, message: &[u8], signature: &[u8]) -> Option<bool> {
    let scheme = scheme(key, algorithm)?;
    Some(UnparsedPublicKey::new(scheme, &key.bits).verify(message, signature).is_ok())
}

/// The fault of a signature algorithm that is not known here.
pub(super) const ALGORITHM: &str = "signature-algorithm-not-allowed";

/// Why a signature by this issuer cannot be verified here: its key, or else the algorithm.
pub(super) fn unknown(issuer: &Examinee) -> (&'static str, String) {
    match issuer.key.as_ref().map(|key| (&key.parts, key.rsa_bits())) {
        Some((KeyParts::Ec { curve: None }, _)) => {
            ("ec-explicit-parameters", "its key names no curve".into())
        }
        Some((KeyParts::Ec { curve: Some(curve) }, _)) if !CURVES.contains(&curve.as_str()) => {
            ("ec-curve-not-allowed", format!("its key is on the curve {curve}"))
        }
        Some((_, Some(bits))) if bits < 2048 => ("rsa-under-2048", format!("an RSA key of {bits} bits")),
        Some((_, Some(bits))) if bits > 8192 => ("rsa-very-large", format!("an RSA key of {bits} bits")),
        _ => (ALGORITHM, "its signature algorithm is not known".into()),
    }
}

const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const P521: &str = "1.3.132.0.35";
const CURVES: [&str; 3] = [P256, P384, P521];

/// The scheme for a key and an AlgorithmIdentifier (RFC 3279, 4055, 5758, 8410).
fn scheme(key: &Key, algorithm: &Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    let curve = match &key.parts {
        KeyParts::Ec { curve } => curve.as_deref(),
        _ => None,
    };
    let rsa_bits = key.rsa_bits().unwrap_or(0);
    let is_rsa = (1024..=8192).contains(&rsa_bits);
    let is_large_rsa = (2048..=8192).contains(&rsa_bits);
    Some(match (algorithm.oid.as_str(), curve) {
        ("1.2.840.113549.1.1.5", _) if is_rsa => &lc::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        ("1.2.840.113549.1.1.11", _) if is_rsa => &lc::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        ("1.2.840.113549.1.1.12", _) if is_large_rsa => &lc::RSA_PKCS1_2048_8192_SHA384,
        ("1.2.840.113549.1.1.13", _) if is_rsa => &lc::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        ("1.2.840.113549.1.1.10", _) if is_large_rsa => return pss(algorithm),
        ("1.2.840.10045.4.3.2", Some(P256)) => &lc::ECDSA_P256_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", Some(P256)) => &lc::ECDSA_P256_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", Some(P256)) => &lc::ECDSA_P256_SHA512_ASN1,
        ("1.2.840.10045.4.3.2", Some(P384)) => &lc::ECDSA_P384_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", Some(P384)) => &lc::ECDSA_P384_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", Some(P384)) => &lc::ECDSA_P384_SHA512_ASN1,
        ("1.2.840.10045.4.3.2", Some(P521)) => &lc::ECDSA_P521_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", Some(P521)) => &lc::ECDSA_P521_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", Some(P521)) => &lc::ECDSA_P521_SHA512_ASN1,
        ("1.3.101.112", None) if key.algorithm.oid == "1.3.101.112" => &lc::ED25519,
        _ => return None,
    })
}

/// RSASSA-PSS by the hash that its parameters name (RFC 4055 section 3.1); SHA-1, their default, is not taken.
fn pss(algorithm: &Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    let tree = read(algorithm.parameters.as_deref()?.into(), Budget::default());
    let hash = tree.root()?.context_child(0)?.child(0)?.child(0).and_then(Element::oid)?;
    Some(match hash.as_str() {
        "2.16.840.1.101.3.4.2.1" => &lc::RSA_PSS_2048_8192_SHA256,
        "2.16.840.1.101.3.4.2.2" => &lc::RSA_PSS_2048_8192_SHA384,
        "2.16.840.1.101.3.4.2.3" => &lc::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}
