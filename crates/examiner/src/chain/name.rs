//! Distinguished names with the place of every attribute.

use crate::cert::oid;
use crate::cert::tlv::{Element, tag};

use super::Place;

/// A distinguished name as it stands (RFC 5280 section 4.1.2.4).
#[derive(Clone, Debug)]
pub struct DistinguishedName {
    /// Each RDN's attributes in the certificate's order.
    pub rdns: Vec<Vec<NameAttribute>>,
    /// Where the name stands.
    pub place: Place,
}

/// One attribute of a name.
#[derive(Clone, Debug)]
pub struct NameAttribute {
    /// Its type as dotted text; empty where the type cannot be read.
    pub oid: String,
    /// The tag number of its value.
    pub tag: u32,
    /// The contents of its value.
    pub bytes: Vec<u8>,
    /// Where it stands.
    pub place: Place,
}

impl DistinguishedName {
    /// Reads a Name. Attributes that are no pair of type and value are left out.
    pub fn of(element: Element<'_>, place: Place) -> Self {
        let mut rdns = Vec::new();
        for (i, set) in element.children().enumerate() {
            let mut attributes = Vec::new();
            for (j, pair) in set.children().enumerate() {
                let (Some(kind), Some(value)) = (pair.child(0), pair.child(1)) else { continue };
                attributes.push(NameAttribute {
                    oid: kind.oid().unwrap_or_default(),
                    tag: value.number(),
                    bytes: value.content().to_vec(),
                    place: place.step(&format!("[{i}][{j}]"), pair.range()),
                });
            }
            rdns.push(attributes);
        }
        Self { rdns, place }
    }

    /// Whether it has no attribute.
    pub fn is_empty(&self) -> bool {
        self.rdns.iter().all(Vec::is_empty)
    }

    /// All attributes, in their order.
    pub fn attributes(&self) -> impl Iterator<Item = &NameAttribute> {
        self.rdns.iter().flatten()
    }

    /// The attributes of one type (dotted text).
    pub fn of_type<'a>(&'a self, oid: &'a str) -> impl Iterator<Item = &'a NameAttribute> {
        self.attributes().filter(move |attribute| attribute.oid == oid)
    }
}

impl NameAttribute {
    /// The short name of its type, such as `CN`, or the dotted text.
    pub fn type_name(&self) -> &str {
        oid::attribute_name(&self.oid).unwrap_or(&self.oid)
    }

    /// Its value as text. `None` where the bytes are none in the type they claim.
    pub fn text(&self) -> Option<String> {
        match self.tag {
            tag::BMP_STRING => {
                let (pairs, rest) = self.bytes.as_chunks::<2>();
                let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
                if rest.is_empty() { String::from_utf16(&units).ok() } else { None }
            }
            tag::UNIVERSAL_STRING => {
                let (fours, rest) = self.bytes.as_chunks::<4>();
                let text: Option<String> =
                    fours.iter().map(|four| char::from_u32(u32::from_be_bytes(*four))).collect();
                text.filter(|_| rest.is_empty())
            }
            tag::TELETEX_STRING => Some(self.bytes.iter().map(|b| char::from(*b)).collect()),
            _ => String::from_utf8(self.bytes.clone()).ok(),
        }
    }
}

impl std::fmt::Display for DistinguishedName {
    /// As RFC 4514 text, the last RDN first; what is no text in hex.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, rdn) in self.rdns.iter().rev().enumerate() {
            for (j, attribute) in rdn.iter().enumerate() {
                let separator = if j > 0 {
                    "+"
                } else if i > 0 {
                    ","
                } else {
                    ""
                };
                write!(f, "{separator}{}=", attribute.type_name())?;
                match attribute.text() {
                    Some(text) => f.write_str(&crate::report::shown(&text))?,
                    None => write!(f, "#{}", data_encoding::HEXLOWER.encode(&attribute.bytes))?,
                }
            }
        }
        Ok(())
    }
}
