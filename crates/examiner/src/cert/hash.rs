//! The two fingerprints that decide: of the whole certificate and of its public key.

use std::fmt;

use sha2::{Digest, Sha256};

/// SHA-256 of a certificate's DER (RFC 8705 section 3.1), shown as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint(pub [u8; 32]);

/// SHA-256 of a SubjectPublicKeyInfo's DER; survives a renewal with the same key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPin(pub [u8; 32]);

/// SHA-1 of a certificate's DER, as Windows shows it. Only for looking up; it never decides anything.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Sha1Thumbprint(pub [u8; 20]);

/// A thumbprint as somebody typed or pasted it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ThumbprintText {
    /// 64 hex digits.
    Sha256(Thumbprint),
    /// 40 hex digits: must be looked up among the known certificates.
    Sha1(Sha1Thumbprint),
}

/// A text that is no thumbprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no thumbprint: expected 64 hexadecimal digits (SHA-256), found {digits}")]
pub struct HashTextError {
    /// What was given, with controls escaped.
    pub text: String,
    /// How many hexadecimal digits it had.
    pub digits: usize,
}

impl Thumbprint {
    /// The thumbprint of these DER bytes.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// Parses exactly 64 hexadecimal digits of either case.
    pub fn from_hex(text: &str) -> Option<Self> {
        decode_hex::<32>(text).map(Self)
    }
}

impl KeyPin {
    /// The pin of this SubjectPublicKeyInfo (DER).
    pub fn of(spki_der: &[u8]) -> Self {
        Self(Sha256::digest(spki_der).into())
    }

    /// Parses exactly 64 hexadecimal digits of either case.
    pub fn from_hex(text: &str) -> Option<Self> {
        decode_hex::<32>(text).map(Self)
    }
}

/// Reads a thumbprint in any of the ways programs show one: colons, spaces, upper case, and the invisible
/// left-to-right mark that Windows puts in front of a copied one. Anything else is refused.
///
/// ```
/// use examiner::cert::{parse_thumbprint_text, ThumbprintText};
/// assert!(matches!(parse_thumbprint_text(&"AB:".repeat(31).add_last("CD")), Ok(ThumbprintText::Sha256(_))));
/// # trait L { fn add_last(self, s: &str) -> String; } impl L for String { fn add_last(self, s: &str) -> String { self + s } }
/// ```
pub fn parse_thumbprint_text(text: &str) -> Result<ThumbprintText, HashTextError> {
    let bare: String = text
        .chars()
        .filter(|c| !matches!(c, ':' | ' ' | '\t' | '\u{200e}' | '\u{200f}' | '\u{feff}'))
        .collect();
    if let Some(thumbprint) = Thumbprint::from_hex(&bare) {
        return Ok(ThumbprintText::Sha256(thumbprint));
    }
    if let Some(bytes) = decode_hex::<20>(&bare) {
        return Ok(ThumbprintText::Sha1(Sha1Thumbprint(bytes)));
    }
    let digits = bare.chars().filter(char::is_ascii_hexdigit).count();
    Err(HashTextError { text: text.escape_debug().to_string(), digits })
}

fn decode_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digit = |c: u8| (c as char).to_digit(16);
        *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
    }
    Some(bytes)
}

macro_rules! shown_as_hex {
    ($type:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::from_hex(&text)
                    .ok_or_else(|| serde::de::Error::custom("expected 64 hexadecimal digits"))
            }
        }
    };
}
shown_as_hex!(Thumbprint);
shown_as_hex!(KeyPin);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_a_program_shows_a_thumbprint_is_read_as_the_same_one() {
        let plain = "0a".repeat(32);
        let expected = ThumbprintText::Sha256(Thumbprint([10; 32]));
        let colons = vec!["0A"; 32].join(":");
        let windows = format!("\u{200e}{}", vec!["0a"; 32].join(" "));
        for text in [plain, colons, windows] {
            assert_eq!(parse_thumbprint_text(&text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_sha1_thumbprint_is_told_apart_and_anything_else_refused() {
        assert!(matches!(parse_thumbprint_text(&"ab".repeat(20)), Ok(ThumbprintText::Sha1(_))));
        for text in
            ["", "ab", &"ab".repeat(31), &"ab".repeat(33), &"zz".repeat(32), &format!("{}-", "ab".repeat(32))]
        {
            assert!(parse_thumbprint_text(text).is_err(), "{text}");
        }
    }
}
