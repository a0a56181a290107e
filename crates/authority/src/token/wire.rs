//! What tokens give and take, and what certificates have instead.

use aws_lc_rs::digest::{SHA256, SHA384, digest};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType};
use der::asn1::{Any, BitString, OctetStringRef, UintRef};
use der::{Decode, Encode, Sequence};
use examiner::PublicKey;
use spki::{AlgorithmIdentifierOwned, ObjectIdentifier, SubjectPublicKeyInfoOwned};

use crate::keys::KeyType;

/// id-ecPublicKey (RFC 5480 section 2.1.1).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// rsaEncryption (RFC 8017 appendix A.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// id-Ed25519 (RFC 8410 section 3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// The mechanism that makes a key pair, and what the public half is asked to be; several ways of saying it, which tokens
/// take one of.
pub(super) fn making(key_type: KeyType) -> (Mechanism<'static>, Vec<Vec<Attribute>>) {
    let curve = |oid: ObjectIdentifier| vec![Attribute::EcParams(oid.to_der().unwrap_or_default())];
    match key_type {
        KeyType::EcdsaP256 => (Mechanism::EccKeyPairGen, vec![curve(P256)]),
        KeyType::EcdsaP384 => (Mechanism::EccKeyPairGen, vec![curve(P384)]),
        KeyType::Rsa3072 => {
            let wanted = vec![Attribute::ModulusBits(3072.into()), Attribute::PublicExponent(vec![1, 0, 1])];
            (Mechanism::RsaPkcsKeyPairGen, vec![wanted])
        }
        KeyType::Ed25519 => {
            // PKCS#11 version 3.0 section 2.3.5: a name, or the object identifier.
            let name = [&[0x13, 12][..], b"edwards25519"].concat();
            (Mechanism::EccEdwardsKeyPairGen, vec![vec![Attribute::EcParams(name)], curve(ED25519)])
        }
    }
}

/// How a message is signed, and what of it is given to the token.
pub(super) fn signing(key_type: KeyType, message: &[u8]) -> (Mechanism<'static>, Vec<u8>) {
    match key_type {
        KeyType::EcdsaP256 => (Mechanism::Ecdsa, digest(&SHA256, message).as_ref().to_vec()),
        KeyType::EcdsaP384 => (Mechanism::Ecdsa, digest(&SHA384, message).as_ref().to_vec()),
        KeyType::Rsa3072 => (Mechanism::Sha256RsaPkcs, message.to_vec()),
        KeyType::Ed25519 => {
            (Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure)), message.to_vec())
        }
    }
}

/// ECDSA-Sig-Value (RFC 3279 section 2.2.3).
#[derive(Sequence)]
struct EcdsaSignature<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// A signature as certificates have it; a token gives that of ECDSA as two numbers side by side.
pub(super) fn signature(key_type: KeyType, raw: Vec<u8>) -> Option<Vec<u8>> {
    match key_type {
        KeyType::EcdsaP256 | KeyType::EcdsaP384 => {
            let half = raw.len() / 2;
            if half == 0 || !raw.len().is_multiple_of(2) {
                return None;
            }
            let (r, s) = raw.split_at(half);
            EcdsaSignature { r: UintRef::new(r).ok()?, s: UintRef::new(s).ok()? }.to_der().ok()
        }
        KeyType::Rsa3072 | KeyType::Ed25519 => Some(raw),
    }
}

/// What of a public key object makes its SubjectPublicKeyInfo.
pub(super) const PUBLIC: [AttributeType; 4] =
    [AttributeType::EcParams, AttributeType::EcPoint, AttributeType::Modulus, AttributeType::PublicExponent];

/// RSAPublicKey (RFC 8017 appendix A.1.1).
#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

/// The SubjectPublicKeyInfo, DER, and which of our kinds it is; `None` for others.
pub(super) fn public(attributes: &[Attribute]) -> Option<(KeyType, Vec<u8>)> {
    let (mut params, mut point, mut modulus, mut exponent) = (None, None, None, None);
    for attribute in attributes {
        match attribute {
            Attribute::EcParams(value) => params = Some(value.as_slice()),
            Attribute::EcPoint(value) => point = Some(value.as_slice()),
            Attribute::Modulus(value) => modulus = Some(value.as_slice()),
            Attribute::PublicExponent(value) => exponent = Some(value.as_slice()),
            _ => {}
        }
    }
    let (algorithm, bits) = match (params, point, modulus, exponent) {
        (Some(params), Some(point), ..) => {
            // The standard asks for an OCTET STRING around it; some tokens leave that out.
            let point = <&OctetStringRef>::from_der(point).map_or(point, |inner| inner.as_bytes());
            (ec_algorithm(params, point)?, point.to_vec())
        }
        (_, _, Some(modulus), Some(exponent)) => {
            let key =
                RsaPublicKey { modulus: UintRef::new(modulus).ok()?, exponent: UintRef::new(exponent).ok()? };
            (AlgorithmIdentifierOwned { oid: RSA, parameters: Some(Any::null()) }, key.to_der().ok()?)
        }
        _ => return None,
    };
    let spki =
        SubjectPublicKeyInfoOwned { algorithm, subject_public_key: BitString::from_bytes(&bits).ok()? };
    let spki = spki.to_der().ok()?;
    let key_type = match PublicKey::from_spki(&spki)? {
        PublicKey::P256 => KeyType::EcdsaP256,
        PublicKey::P384 => KeyType::EcdsaP384,
        PublicKey::Rsa { modulus_bits: 3072, .. } => KeyType::Rsa3072,
        PublicKey::Ed25519 => KeyType::Ed25519,
        _ => return None,
    };
    Some((key_type, spki))
}

fn ec_algorithm(params: &[u8], point: &[u8]) -> Option<AlgorithmIdentifierOwned> {
    match ObjectIdentifier::from_der(params) {
        Ok(ED25519) => Some(AlgorithmIdentifierOwned { oid: ED25519, parameters: None }),
        Ok(curve) => {
            Some(AlgorithmIdentifierOwned { oid: EC, parameters: Some(Any::encode_from(&curve).ok()?) })
        }
        // The name of the only such curve whose keys are 32 octets and that is made here.
        Err(_) => {
            let is_named = params.ends_with(b"edwards25519") && point.len() == 32;
            is_named.then_some(AlgorithmIdentifierOwned { oid: ED25519, parameters: None })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ecdsa_signature_of_a_token_becomes_two_integers() {
        let mut raw = vec![0u8; 64];
        (raw[31], raw[32], raw[63]) = (5, 0x80, 1);
        let der = signature(KeyType::EcdsaP256, raw.clone()).unwrap();
        assert_eq!(der[..8], [0x30, 38, 2, 1, 5, 2, 33, 0]);
        assert_eq!(signature(KeyType::EcdsaP256, raw[1..].to_vec()), None);
        assert_eq!(signature(KeyType::EcdsaP256, Vec::new()), None);
        assert_eq!(signature(KeyType::Ed25519, raw.clone()), Some(raw));
    }

    #[test]
    fn a_public_key_of_another_kind_is_none_of_ours() {
        let p521 = ObjectIdentifier::new_unwrap("1.3.132.0.35").to_der().unwrap();
        assert!(public(&[Attribute::EcParams(p521), Attribute::EcPoint(vec![4; 133])]).is_none());
        assert!(
            public(&[Attribute::Modulus(vec![0xff; 256]), Attribute::PublicExponent(vec![1, 0, 1])])
                .is_none()
        );
        assert!(
            public(&[Attribute::Modulus(vec![0xff; 384]), Attribute::PublicExponent(vec![1, 0, 1])])
                .is_some()
        );
        assert!(public(&[]).is_none());
    }
}
