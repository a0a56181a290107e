//! Host names: the one function that SNI and the request's authority both go through.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// A normalised host name: lower case, IDNA A-labels, no trailing dot, no port. An IP address in its shortest form,
/// an IPv6 one in brackets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(Arc<str>);

/// A text that is no host name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no host name")]
pub struct HostError(pub String);

impl HostName {
    /// Normalises a host name without a port, as SNI and configuration give it.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let wrong = || HostError(text.escape_debug().to_string());
        if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
            let address: Ipv6Addr = inner.parse().map_err(|_| wrong())?;
            return Ok(Self(format!("[{address}]").into()));
        }
        let bare = text.strip_suffix('.').unwrap_or(text);
        let ascii = if bare.is_ascii() && !bare.to_ascii_lowercase().contains("xn--") {
            bare.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii_strict(bare).map_err(|_| wrong())?
        };
        let label = |l: &str| {
            (1..=63).contains(&l.len())
                && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
                && !l.starts_with('-')
                && !l.ends_with('-')
        };
        if ascii.len() > 253 || !ascii.split('.').all(label) {
            return Err(wrong());
        }
        // A last label of digits is read as an address by clients (WHATWG URL): only a real one may stand.
        let numeric = ascii.rsplit('.').next().is_some_and(|l| l.bytes().all(|b| b.is_ascii_digit()));
        if numeric && ascii.parse::<Ipv4Addr>().is_err() {
            return Err(wrong());
        }
        Ok(Self(ascii.into()))
    }

    /// Normalises the authority of a request: a host name with or without a port. User information is refused.
    pub fn parse_authority(text: &str) -> Result<Self, HostError> {
        let wrong = || HostError(text.escape_debug().to_string());
        let end = match text.strip_prefix('[') {
            Some(_) => text.find(']').ok_or_else(wrong)? + 1,
            None => text.find(':').unwrap_or(text.len()),
        };
        let (host, port) = text.split_at(end);
        let port_fits = match port.strip_prefix(':') {
            Some(digits) => {
                digits.bytes().all(|b| b.is_ascii_digit())
                    && (digits.is_empty() || digits.parse::<u16>().is_ok())
            }
            None => port.is_empty(),
        };
        if !port_fits {
            return Err(wrong());
        }
        Self::parse(host)
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for HostName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for HostName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for HostName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_host_is_the_same_host() {
        let expected = HostName::parse("portal.test").unwrap();
        for text in ["PORTAL.test", "portal.test.", "Portal.Test:8443", "portal.test.:443", "portal.test:"] {
            assert_eq!(HostName::parse_authority(text).unwrap(), expected, "{text}");
        }
        assert_eq!(HostName::parse("BÜCHER.example").unwrap().as_str(), "xn--bcher-kva.example");
        assert_eq!(HostName::parse("xn--bcher-kva.EXAMPLE").unwrap().as_str(), "xn--bcher-kva.example");
        assert_eq!(HostName::parse_authority("[0:0::1]:443").unwrap().as_str(), "[::1]");
    }

    #[test]
    fn what_two_programs_could_read_differently_is_no_host() {
        for text in [
            "",
            ".",
            "a..b",
            "a b",
            "a@b",
            "user@portal.test",
            "portal.test:x",
            "portal.test:99999",
            "portal.test:80:80",
            "portal.test/..",
            "portal.test\0",
            "-a.test",
            "1.2.3",
            "256.1.1.1",
            "[::1",
            "[::1]x",
            "a%2eb",
            "*.test",
            "a..",
        ] {
            assert!(HostName::parse_authority(text).is_err(), "{text}");
        }
    }
}
