//! Algorithm identifiers and public keys as they stand.

use crate::cert::tlv::{Budget, Element, Tree, read_within, tag};

use super::{Field, Place};

/// An AlgorithmIdentifier (RFC 5280 section 4.1.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Algorithm {
    /// The algorithm as dotted text; empty where it cannot be read.
    pub oid: String,
    /// The DER of the parameters; `None` where there are none.
    pub parameters: Option<Vec<u8>>,
    /// Where it stands.
    pub place: Place,
}

impl Algorithm {
    /// Reads an AlgorithmIdentifier.
    pub fn read(field: &Field<'_>) -> Self {
        Self {
            oid: field.element.child(0).and_then(Element::oid).unwrap_or_default(),
            parameters: field.element.child(1).map(|e| e.bytes().to_vec()),
            place: field.place.clone(),
        }
    }
}

/// A public key as it stands in subjectPublicKeyInfo (RFC 3279, RFC 5480).
#[derive(Clone, Debug)]
pub struct Key {
    /// The algorithm with its parameters.
    pub algorithm: Algorithm,
    /// What the key is made of.
    pub parts: KeyParts,
    /// The contents of subjectPublicKey without the octet that counts unused bits.
    pub bits: Vec<u8>,
    /// The whole subjectPublicKeyInfo.
    pub place: Place,
}

/// What a key is made of, by its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyParts {
    /// RSA: modulus and exponent, big-endian, without leading zero octets.
    Rsa {
        /// n.
        modulus: Vec<u8>,
        /// e.
        exponent: Vec<u8>,
    },
    /// Elliptic curve.
    Ec {
        /// The named curve as dotted text; `None` where parameters are explicit or absent.
        curve: Option<String>,
    },
    /// Ed25519 or Ed448, or another kind, by the algorithm's identifier alone.
    Other,
    /// The key's bytes cannot be read as its algorithm asks.
    Wrong,
}

impl Key {
    /// rsaEncryption.
    pub const RSA: &str = "1.2.840.113549.1.1.1";
    /// id-ecPublicKey.
    pub const EC: &str = "1.2.840.10045.2.1";

    pub(crate) fn of(spki: &Field<'_>, tree: &Tree) -> Option<Self> {
        let algorithm = Algorithm::read(&spki.inner("algorithm", spki.element.child(0)?));
        let value = spki.element.child(1)?;
        let bits = value.bit_string().map(|(bits, _)| bits.to_vec()).unwrap_or_default();
        let parts = match algorithm.oid.as_str() {
            Self::RSA => {
                let content = value.content_range();
                let start = (content.start + 1).min(content.end);
                let inner = read_within(tree.bytes().clone(), start..content.end, Budget::default());
                rsa(&inner).unwrap_or(KeyParts::Wrong)
            }
            Self::EC => {
                KeyParts::Ec { curve: spki.element.child(0).and_then(|a| a.child(1)).and_then(Element::oid) }
            }
            _ => KeyParts::Other,
        };
        Some(Self { algorithm, parts, bits, place: spki.place.clone() })
    }

    /// Length of an RSA modulus in bits; `None` for other kinds.
    pub fn rsa_bits(&self) -> Option<usize> {
        match &self.parts {
            KeyParts::Rsa { modulus, .. } => {
                Some(modulus.first().map_or(0, |first| modulus.len() * 8 - first.leading_zeros() as usize))
            }
            _ => None,
        }
    }
}

fn rsa(tree: &Tree) -> Option<KeyParts> {
    let root = tree.root().filter(|root| root.is(tag::SEQUENCE))?;
    let number = |i: usize| {
        let element = root.child(i).filter(|e| e.is(tag::INTEGER))?;
        Some(element.content().iter().copied().skip_while(|octet| *octet == 0).collect::<Vec<u8>>())
    };
    Some(KeyParts::Rsa { modulus: number(0)?, exponent: number(1)? })
}
