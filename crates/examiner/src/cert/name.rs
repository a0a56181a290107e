//! Distinguished names, compared by type and code point, never by printed text (RFC 5280 section 4.1.2.4).

use std::fmt;

use sha2::{Digest, Sha256};
use x509_parser::asn1_rs::Tag;
use x509_parser::x509::X509Name;

use super::oid;

/// A distinguished name: its RDNs in the certificate's order.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Name {
    /// Each RDN's attributes; more than one in a multi-valued RDN.
    pub rdns: Vec<Vec<Attribute>>,
}

/// One attribute of an RDN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The attribute's type as dotted text, such as `2.5.4.3`.
    pub oid: String,
    /// Its value.
    pub value: AttributeValue,
}

/// An attribute's value, by whether its code points can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// PrintableString, UTF8String or IA5String: compared by code points.
    Text(String),
    /// Any other string type; shown, never equal to a rule.
    Other {
        /// The ASN.1 tag number.
        tag: u32,
        /// The content as it stands.
        bytes: Vec<u8>,
    },
}

/// The comparable form of a name, computed by one function; equal keys mean equal RDN order, attribute sets and code
/// points.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct SubjectKey(pub [u8; 32]);

/// A text that is no RFC 4514 name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no subject: {why}")]
pub struct NameTextError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

impl Name {
    pub(super) fn of(name: &X509Name<'_>) -> Self {
        let attribute = |attribute: &x509_parser::x509::AttributeTypeAndValue<'_>| {
            let raw = attribute.attr_value();
            let comparable = matches!(raw.tag(), Tag::PrintableString | Tag::Utf8String | Tag::Ia5String);
            let value = match std::str::from_utf8(raw.data) {
                Ok(text) if comparable => AttributeValue::Text(text.to_owned()),
                _ => AttributeValue::Other { tag: raw.tag().0, bytes: raw.data.to_vec() },
            };
            Attribute { oid: attribute.attr_type().to_id_string(), value }
        };
        Self { rdns: name.iter_rdn().map(|rdn| rdn.iter().map(attribute).collect()).collect() }
    }

    /// Parses RFC 4514 text, whose RDNs stand last first: `O=Lab,CN=svc-1` is the name CN=svc-1 then O=Lab.
    pub fn parse_rfc4514(text: &str) -> Result<Self, NameTextError> {
        let wrong = |why: String| NameTextError { text: text.to_owned(), why };
        let mut rdns = Vec::new();
        for rdn in split_unescaped(text, ',') {
            let mut attributes = Vec::new();
            for part in split_unescaped(rdn, '+') {
                let (name, value) = part.split_once('=').ok_or_else(|| {
                    wrong(format!("`{}` has no `=`; write it like O=Lab,CN=svc-1", part.trim()))
                })?;
                let oid = oid::attribute_oid(name.trim()).ok_or_else(|| {
                    wrong(format!("`{}` is no attribute type; use CN, O, OU, C or a dotted OID", name.trim()))
                })?;
                let value = unescape(value).map_err(wrong)?;
                if value.is_empty() {
                    return Err(wrong(format!("`{}` is empty", name.trim())));
                }
                attributes.push(Attribute { oid, value: AttributeValue::Text(value) });
            }
            rdns.push(attributes);
        }
        rdns.reverse();
        Ok(Self { rdns })
    }

    /// The comparable form; `None` for an empty name and wherever a value is of a type that never matches.
    pub fn key(&self) -> Option<SubjectKey> {
        if self.rdns.is_empty() {
            return None;
        }
        let mut hash = Sha256::new();
        for rdn in &self.rdns {
            let mut attributes = Vec::new();
            for attribute in rdn {
                let AttributeValue::Text(text) = &attribute.value else { return None };
                attributes.push((attribute.oid.as_str(), text.as_str()));
            }
            attributes.sort_unstable();
            hash.update((attributes.len() as u64).to_be_bytes());
            for (oid, text) in attributes {
                for part in [oid, text] {
                    hash.update((part.len() as u64).to_be_bytes());
                    hash.update(part);
                }
            }
        }
        Some(SubjectKey(hash.finalize().into()))
    }

    /// The comparable values of one attribute type, such as all common names.
    pub fn values<'a>(&'a self, oid: &'a str) -> impl Iterator<Item = &'a str> {
        self.rdns.iter().flatten().filter(move |a| a.oid == oid).filter_map(|a| match &a.value {
            AttributeValue::Text(text) => Some(text.as_str()),
            AttributeValue::Other { .. } => None,
        })
    }

    /// The first common name, for showing only.
    pub fn common_name(&self) -> Option<&str> {
        self.values("2.5.4.3").next()
    }

    /// Whether it has no RDN at all.
    pub fn is_empty(&self) -> bool {
        self.rdns.is_empty()
    }
}

/// RFC 4514 text: last RDN first, specials escaped, controls and invisible characters as hex pairs.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, rdn) in self.rdns.iter().rev().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            for (j, attribute) in rdn.iter().enumerate() {
                if j > 0 {
                    f.write_str("+")?;
                }
                f.write_str(oid::attribute_name(&attribute.oid).unwrap_or(&attribute.oid))?;
                f.write_str("=")?;
                match &attribute.value {
                    AttributeValue::Text(text) => write_escaped(f, text)?,
                    AttributeValue::Other { bytes, .. } => {
                        f.write_str("#")?;
                        bytes.iter().try_for_each(|b| write!(f, "{b:02x}"))?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let last = text.chars().count().saturating_sub(1);
    for (i, c) in text.chars().enumerate() {
        let edge_space = c == ' ' && (i == 0 || i == last);
        if matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=') || edge_space || (c == '#' && i == 0) {
            write!(f, "\\{c}")?;
        } else if c.is_control() || is_invisible(c) {
            let mut buffer = [0; 4];
            c.encode_utf8(&mut buffer).bytes().try_for_each(|b| write!(f, "\\{b:02x}"))?;
        } else {
            write!(f, "{c}")?;
        }
    }
    Ok(())
}

/// Characters that show nothing or change the direction of what follows.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}'..='\u{2029}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}' | '\u{ad}')
}

fn split_unescaped(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (i, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == separator {
            parts.push(&text[start..i]);
            start = i + c.len_utf8();
        }
    }
    parts.push(&text[start..]);
    parts
}

fn unescape(text: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let mut rest = text.trim_start_matches(' ').chars().peekable();
    let mut significant = 0;
    while let Some(c) = rest.next() {
        if c != '\\' {
            let mut buffer = [0; 4];
            bytes.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            if c != ' ' {
                significant = bytes.len();
            }
            continue;
        }
        let first = rest.next().ok_or("it ends in a lone backslash")?;
        if let (Some(high), Some(low)) = (first.to_digit(16), rest.peek().and_then(|c| c.to_digit(16))) {
            rest.next();
            bytes.push((high * 16 + low) as u8);
        } else {
            let mut buffer = [0; 4];
            bytes.extend_from_slice(first.encode_utf8(&mut buffer).as_bytes());
        }
        significant = bytes.len();
    }
    bytes.truncate(significant);
    String::from_utf8(bytes).map_err(|_| "an escaped value is no UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> SubjectKey {
        Name::parse_rfc4514(text).unwrap().key().unwrap()
    }

    #[test]
    fn a_subject_equals_itself_whatever_the_order_inside_a_set() {
        assert_eq!(key("O=Lab,CN=svc+OU=a"), key("O=Lab,OU=a+CN=svc"));
        assert_eq!(key("O=Lab, CN=svc"), key("o=Lab,cn=svc"));
    }

    #[test]
    fn order_case_and_grouping_tell_subjects_apart() {
        let base = key("O=Lab,CN=svc");
        for other in [
            "CN=svc,O=Lab",
            "O=lab,CN=svc",
            "O=Lab+CN=svc",
            "O=Lab\\,CN=svc",
            "O=Lab,CN=svc,CN=svc",
            "CN=svc",
        ] {
            assert_ne!(key(other), base, "{other}");
        }
    }

    #[test]
    fn a_separator_inside_a_value_is_no_separator() {
        for (one, other) in [
            ("CN=svc,O=Lab", "O=Lab\\,CN\\=svc"),
            ("OU=b,CN=a", "CN=a\\,OU\\=b"),
            ("CN=a+OU=b", "CN=a\\+OU\\=b"),
        ] {
            assert_ne!(key(one), key(other), "{one} and {other}");
        }
    }

    #[test]
    fn a_shown_name_is_read_back_as_the_same_name() {
        for text in ["O=Lab,CN=svc-1", r"CN=\#a\,b\+c\=d\\ e\ ", r"CN=a\0ab"] {
            let name = Name::parse_rfc4514(text).unwrap();
            assert_eq!(Name::parse_rfc4514(&name.to_string()).unwrap(), name, "{text}");
        }
        assert_eq!(Name::parse_rfc4514("O=Lab,CN=svc-1").unwrap().rdns[0][0].oid, "2.5.4.3");
    }

    #[test]
    fn what_is_no_subject_is_refused() {
        for text in ["", "alice", "CN=", "XX=1", "CN=a,,O=b", "CN=a\\"] {
            assert!(Name::parse_rfc4514(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_of_another_string_type_never_matches() {
        let attribute =
            Attribute { oid: "2.5.4.3".into(), value: AttributeValue::Other { tag: 30, bytes: vec![0, 97] } };
        assert_eq!(Name { rdns: vec![vec![attribute]] }.key(), None);
    }
}
