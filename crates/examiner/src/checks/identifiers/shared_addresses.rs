//! Addresses in certificates, and which certificates need them.

use std::net::IpAddr;

use crate::chain::extensions::{AccessDescription, id};
use crate::chain::{Chain, Examinee, Place};
use crate::dates::{SHORT_LIVED, limit_at};
use crate::side::{Asked, Sought};

/// The host of an http URI, lower case; `None` for everything else.
pub(in crate::checks) fn http_host(uri: &[u8]) -> Option<String> {
    let uri = std::str::from_utf8(uri).ok()?;
    let (scheme, rest) = uri.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") || uri.chars().any(|c| c.is_control() || c == ' ') {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => host.split(':').next()?,
    };
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// Whether only a private network knows the host.
pub(in crate::checks) fn is_internal(host: &str) -> bool {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return match ip {
            IpAddr::V4(v4) => {
                v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified()
            }
            IpAddr::V6(v6) => {
                v6.is_loopback() || v6.is_unspecified() || (v6.segments()[0] & 0xfe00) == 0xfc00
            }
        };
    }
    let host = host.trim_end_matches('.');
    let last = host.rsplit('.').next().unwrap_or_default();
    // Names that are kept out of the public tree (RFC 6761, RFC 6762, RFC 8375), and those without a dot.
    !host.contains('.')
        || matches!(last, "local" | "internal" | "localhost" | "test" | "invalid" | "lan" | "corp" | "home")
}

/// Whether it is short-lived by the rule of the day it was issued (BR section 1.6.1).
pub(in crate::checks) fn is_short_lived(certificate: &Examinee) -> bool {
    let (Some(first), Some(last)) = (certificate.not_before, certificate.not_after) else { return false };
    let seconds = last.seconds() - first.seconds() + 1;
    limit_at(SHORT_LIVED, first).is_some_and(|limit| seconds <= limit.days * 86_400)
}

/// Whether it names an OCSP responder.
pub(in crate::checks) fn names_responder(certificate: &Examinee) -> bool {
    let entries = certificate.known.authority_info_access.read();
    entries.is_some_and(|all| all.iter().any(|entry| entry.method == AccessDescription::OCSP))
}

/// What was asked of the addresses of its issuer's certificate.
pub(super) fn asked_for_issuer<'a>(
    certificate: &'a Examinee,
    chain: &'a Chain,
) -> impl Iterator<Item = &'a Asked> {
    let asked = chain.side.asked.iter();
    asked.filter(|one| one.sought == Sought::Issuer && one.about == certificate.thumbprint)
}

/// Where this address stands in authorityInfoAccess.
pub(super) fn location(certificate: &Examinee, url: &str) -> Place {
    let mut entries = certificate.known.authority_info_access.read().into_iter().flatten();
    entries.find(|entry| entry.location.uri().as_deref() == Some(url)).map_or_else(
        || certificate.extension_place(id::AUTHORITY_INFO_ACCESS),
        |entry| entry.location.place.clone(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_those_of_http_alone() {
        let host = |uri: &str| http_host(uri.as_bytes());
        assert_eq!(host("http://CA.example.com:80/x").as_deref(), Some("ca.example.com"));
        assert_eq!(host("HTTP://[2001:db8::1]/").as_deref(), Some("2001:db8::1"));
        for other in [
            "https://ca.example.com/",
            "ldap://ca.example.com/",
            "http:///x",
            "ca.example.com",
            "http://a b/",
        ] {
            assert_eq!(host(other), None, "{other}");
        }
        assert!(is_internal("ca") && is_internal("ca.corp") && is_internal("10.0.0.1"));
        assert!(!is_internal("ca.example.com") && !is_internal("192.0.2.1"));
    }
}
