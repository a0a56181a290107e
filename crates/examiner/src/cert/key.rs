//! Public keys: kind, size, and whether they are strong enough.

use x509_parser::prelude::*;
use x509_parser::public_key::PublicKey as ParsedKey;

use super::hash::KeyPin;

/// The kind and size of a public key, from its SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA with the modulus' length in bits, and the exponent where it fits 64 bits.
    Rsa {
        /// Length of the modulus in bits.
        modulus_bits: u32,
        /// The public exponent; `None` where it exceeds 64 bits or is negative.
        exponent: Option<u64>,
    },
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// Ed25519.
    Ed25519,
    /// Anything else, by its algorithm's dotted text (and the curve's, where named).
    Other(String),
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo. `None` if it is no DER of one.
    pub fn from_spki(der: &[u8]) -> Option<Self> {
        let (rest, spki) = SubjectPublicKeyInfo::from_der(der).ok()?;
        rest.is_empty().then(|| Self::of(&spki))
    }

    pub(super) fn of(spki: &SubjectPublicKeyInfo<'_>) -> Self {
        let algorithm = spki.algorithm.algorithm.to_id_string();
        match algorithm.as_str() {
            "1.2.840.113549.1.1.1" => match spki.parsed() {
                Ok(ParsedKey::RSA(rsa)) => {
                    Self::Rsa { modulus_bits: bit_length(rsa.modulus), exponent: unsigned(rsa.exponent) }
                }
                _ => Self::Other(algorithm),
            },
            "1.2.840.10045.2.1" => {
                let curve = spki.algorithm.parameters.as_ref().and_then(|p| p.as_oid().ok());
                match curve.map(|oid| oid.to_id_string()).as_deref() {
                    Some("1.2.840.10045.3.1.7") => Self::P256,
                    Some("1.3.132.0.34") => Self::P384,
                    Some("1.3.132.0.35") => Self::P521,
                    Some(curve) => Self::Other(format!("EC curve {curve}")),
                    None => Self::Other("EC with explicit parameters".into()),
                }
            }
            "1.3.101.112" => Self::Ed25519,
            _ => Self::Other(algorithm),
        }
    }

    /// Why this key is too weak (or too large) to be relied on; `None` when it is fine: RSA of 2048 to 8192 bits with
    /// an odd exponent from 65537 to below 2^32, P-256, P-384, P-521, Ed25519.
    pub fn weakness(&self) -> Option<String> {
        match self {
            Self::Rsa { modulus_bits, .. } if !(2048..=8192).contains(modulus_bits) => {
                Some(format!("RSA {modulus_bits} bit"))
            }
            Self::Rsa { exponent: Some(e), .. } if *e >= 65_537 && *e < 1 << 32 && e % 2 == 1 => None,
            Self::Rsa { modulus_bits, exponent } => Some(match exponent {
                Some(e) => format!("RSA {modulus_bits} bit with exponent {e}"),
                None => format!("RSA {modulus_bits} bit with an exponent over 64 bit or below 0"),
            }),
            Self::P256 | Self::P384 | Self::P521 | Self::Ed25519 => None,
            Self::Other(name) => Some(name.clone()),
        }
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rsa { modulus_bits, .. } => write!(f, "RSA {modulus_bits} bit"),
            Self::P256 => f.write_str("ECDSA P-256"),
            Self::P384 => f.write_str("ECDSA P-384"),
            Self::P521 => f.write_str("ECDSA P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

/// Why a certificate must not be issued for the key of this SubjectPublicKeyInfo, in words; `None` when nothing is known
/// against it. Beside [`PublicKey::weakness`], what lets everybody work out the private key from an RSA modulus: a small
/// factor, primes too close to each other, the form of a broken library (ROCA).
///
/// `Some` for what is no DER of one.
pub fn key_flaw(spki: &[u8]) -> Option<String> {
    let Some(key) = PublicKey::from_spki(spki) else { return Some("it cannot be read".into()) };
    key.weakness().or_else(|| {
        let (_, spki) = SubjectPublicKeyInfo::from_der(spki).ok()?;
        let Ok(ParsedKey::RSA(rsa)) = spki.parsed() else { return None };
        let leading = rsa.modulus.iter().take_while(|octet| **octet == 0).count();
        let flaw = crate::checks::keys::flaw_of_modulus(&rsa.modulus[leading..])?;
        Some(format!("{key}, {flaw}"))
    })
}

/// The pin of the key in a SubjectPublicKeyInfo.
pub(super) fn pin(spki: &SubjectPublicKeyInfo<'_>) -> KeyPin {
    KeyPin::of(spki.raw)
}

/// A positive INTEGER as a number; `None` where it is negative or over 64 bits.
fn unsigned(contents: &[u8]) -> Option<u64> {
    let is_negative = contents.first().is_some_and(|first| first & 0x80 != 0);
    let octets: Vec<u8> = contents.iter().copied().skip_while(|octet| *octet == 0).collect();
    let fits = !is_negative && !contents.is_empty() && octets.len() <= 8;
    fits.then(|| octets.iter().fold(0, |number, octet| number << 8 | u64::from(*octet)))
}

fn bit_length(big_endian: &[u8]) -> u32 {
    let digits: &[u8] = &big_endian[big_endian.iter().take_while(|b| **b == 0).count()..];
    digits.first().map_or(0, |first| digits.len() as u32 * 8 - first.leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponent_is_read_up_to_64_bits() {
        assert_eq!(unsigned(&[1, 0, 1]), Some(65_537));
        assert_eq!(unsigned(&[0]), Some(0));
        assert_eq!(unsigned(&[0, 255, 255, 255, 255, 255, 255, 255, 255]), Some(u64::MAX));
        assert_eq!(unsigned(&[1, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(unsigned(&[0x81, 0, 1]), None);
        assert_eq!(unsigned(&[]), None);
    }

    #[test]
    fn a_key_with_an_exponent_of_exactly_64_bits_is_named_with_it() {
        let weak = |exponent| PublicKey::Rsa { modulus_bits: 2048, exponent }.weakness();
        assert_eq!(
            weak(unsigned(&[0, 128, 0, 0, 0, 0, 0, 0, 1])).unwrap(),
            "RSA 2048 bit with exponent 9223372036854775809"
        );
        assert_eq!(
            weak(unsigned(&[1, 0, 0, 0, 0, 0, 0, 0, 1])).unwrap(),
            "RSA 2048 bit with an exponent over 64 bit or below 0"
        );
        assert_eq!(weak(Some(65_537)), None);
    }
}
