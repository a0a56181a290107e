//! Names of our own: parties, groups, CAs.

use std::fmt;
use std::sync::Arc;

/// The name of a party of our own: `[a-z0-9][a-z0-9._-]{0,62}`.
///
/// It can never equal a visitor's of a foreign CA, which holds a `/` (`ca/NAME/…`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyName(Arc<str>);

/// A text that cannot name a party, group or CA.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name: use 1 to 63 of a-z, 0-9, `.`, `_`, `-`, starting with a letter or digit")]
pub struct NameError(pub String);

/// Whether this text can name a party, a group or a CA.
pub fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=63).contains(&text.len())
        && plain(text.as_bytes()[0])
        && text.bytes().all(|b| plain(b) || matches!(b, b'.' | b'_' | b'-'))
}

impl PartyName {
    /// Parses the name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if is_name(text) { Ok(Self(text.into())) } else { Err(NameError(text.escape_debug().to_string())) }
    }

    /// The name of a party on record, which was parsed when it came there.
    pub(crate) fn known(text: &str) -> Self {
        debug_assert!(is_name(text));
        Self(text.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PartyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PartyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for PartyName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl serde::Serialize for PartyName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for PartyName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_name_is_plain_and_bounded() {
        for good in ["a", "alice", "build-7.eu_1", "0day", &"a".repeat(63)] {
            assert!(PartyName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "Alice", "-a", ".a", "a b", "ca/acme", "é", "a\0", &"a".repeat(64)] {
            assert!(PartyName::parse(bad).is_err(), "{bad}");
        }
    }
}
