//! Names as lists of attributes.

use examiner::AttributeValue;
use rcgen::string::PrintableString;
use rcgen::{DistinguishedName, DnType, DnValue};

/// How the attribute values are encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strings {
    /// UTF8String, except the country.
    #[default]
    Utf8,
    /// PrintableString for all.
    Printable,
}

/// A name in the making: attribute types by short name or dotted OID, in order, each type once.
#[derive(Clone, Debug, Default)]
pub(super) struct Subject {
    pub(super) attributes: Vec<(String, String)>,
    pub(super) strings: Strings,
}

impl Subject {
    pub(super) fn of(attributes: &[(&str, &str)]) -> Self {
        let attributes = attributes.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        Self { attributes: attributes.collect(), strings: Strings::Utf8 }
    }

    /// The same attributes as in a parsed name.
    pub(super) fn like(name: &examiner::Name) -> Self {
        let text = |value: &AttributeValue| match value {
            AttributeValue::Text(text) => text.clone(),
            other => panic!("{other:?} cannot be copied"),
        };
        let attributes = name.rdns.iter().flatten().map(|one| (one.oid.clone(), text(&one.value)));
        Self { attributes: attributes.collect(), strings: Strings::Utf8 }
    }

    pub(super) fn dn(&self) -> DistinguishedName {
        let mut dn = DistinguishedName::new();
        for (name, value) in &self.attributes {
            let kind = attribute_type(name);
            assert!(dn.get(&kind).is_none(), "{name} stands twice; this CA writes each attribute type once");
            let printable = self.strings == Strings::Printable || kind == DnType::CountryName;
            dn.push(
                kind,
                if printable {
                    let value = PrintableString::try_from(value.as_str());
                    DnValue::PrintableString(value.expect("printable characters"))
                } else {
                    DnValue::Utf8String(value.clone())
                },
            );
        }
        dn
    }
}

fn attribute_type(name: &str) -> DnType {
    let dotted = match name {
        "CN" => "2.5.4.3",
        "serialNumber" => "2.5.4.5",
        "C" => "2.5.4.6",
        "L" => "2.5.4.7",
        "ST" => "2.5.4.8",
        "O" => "2.5.4.10",
        "OU" => "2.5.4.11",
        "GN" => "2.5.4.42",
        "SN" => "2.5.4.4",
        "UID" => "0.9.2342.19200300.100.1.1",
        "DC" => "0.9.2342.19200300.100.1.25",
        "emailAddress" => "1.2.840.113549.1.9.1",
        dotted => dotted,
    };
    DnType::from_oid(&oid(dotted))
}

/// The arcs of a dotted OID; panics if it is none.
pub(super) fn oid(dotted: &str) -> Vec<u64> {
    let arc = |arc: &str| arc.parse().unwrap_or_else(|_| panic!("`{dotted}` is no attribute type or OID"));
    dotted.split('.').map(arc).collect()
}
