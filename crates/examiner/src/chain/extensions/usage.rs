//! keyUsage and extKeyUsage.

use std::fmt;

use crate::cert::oid;
use crate::cert::tlv::Element;

use super::{Field, Place, sequence};

/// keyUsage (RFC 5280 section 4.2.1.3).
#[derive(Clone, Debug)]
pub struct KeyUsageBits {
    /// Bit `i` of this number is the named bit `i`.
    pub bits: u16,
    /// The octets as they stand, without the one that counts the unused bits.
    pub octets: Vec<u8>,
    /// How many bits of the last octet are said to be unused.
    pub unused: u8,
    /// Where it stands.
    pub place: Place,
}

#[allow(missing_docs)]
impl KeyUsageBits {
    pub const DIGITAL_SIGNATURE: u8 = 0;
    pub const CONTENT_COMMITMENT: u8 = 1;
    pub const KEY_ENCIPHERMENT: u8 = 2;
    pub const DATA_ENCIPHERMENT: u8 = 3;
    pub const KEY_AGREEMENT: u8 = 4;
    pub const KEY_CERT_SIGN: u8 = 5;
    pub const CRL_SIGN: u8 = 6;
    pub const ENCIPHER_ONLY: u8 = 7;
    pub const DECIPHER_ONLY: u8 = 8;
    const NAMES: [&str; 9] = [
        "digitalSignature",
        "nonRepudiation",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
        "encipherOnly",
        "decipherOnly",
    ];
}

impl KeyUsageBits {
    pub(super) fn of(field: &Field<'_>) -> Result<Self, String> {
        let (octets, unused) = field.element.bit_string().ok_or("it is no BIT STRING")?;
        let bit = |i: usize| octets.get(i / 8).is_some_and(|octet| octet & (0x80 >> (i % 8)) != 0);
        let bits = (0..16).filter(|i| bit(*i)).fold(0, |bits, i| bits | 1 << i);
        Ok(Self { bits, octets: octets.to_vec(), unused, place: field.place.clone() })
    }

    /// Whether this bit (one of the constants) is set.
    pub fn has(&self, bit: u8) -> bool {
        self.bits & (1 << bit) != 0
    }
}

impl fmt::Display for KeyUsageBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMES.iter().enumerate().filter(|(i, _)| self.bits & (1 << i) != 0);
        let names: Vec<&str> = named.map(|(_, name)| *name).collect();
        f.write_str(if names.is_empty() { "no usage" } else { "" })?;
        f.write_str(&names.join(", "))
    }
}

/// One key purpose of extKeyUsage (RFC 5280 section 4.2.1.12).
#[derive(Clone, Debug)]
pub struct Purpose {
    /// The purpose as dotted text; empty where it cannot be read.
    pub oid: String,
    /// Where it stands.
    pub place: Place,
}

impl Purpose {
    pub(super) fn all(field: &Field<'_>) -> Result<Vec<Self>, String> {
        let one = |field: Field<'_>| match Element::oid(field.element) {
            Some(oid) => Ok(Self { oid, place: field.place }),
            None => Err("it lists something that is no object identifier".into()),
        };
        sequence(field)?.map(one).collect()
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(oid::key_purpose_name(&self.oid))
    }
}
