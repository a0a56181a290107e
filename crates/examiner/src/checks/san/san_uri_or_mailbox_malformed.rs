//! A URI has a scheme and a host, a mailbox a host; both are ASCII.

use super::prelude::*;
use super::shared::{found, names};

pub static CHECK: Check = Check {
    id: "san-uri-or-mailbox-malformed",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.6",
    expected: "an absolute URI with a host name or address, or a mailbox user@host",
    remedy: "Have it issued again with the whole URI or mailbox.",
    affected: "software that reads these names",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn wrong_mailbox(bytes: &[u8]) -> Option<&'static str> {
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii()) else {
        return Some("it is not ASCII");
    };
    match text.rsplit_once('@') {
        None => Some("it has no @"),
        Some(_) if text.contains(['<', '>', ' ', '(', ')', ':']) => Some("more than user@host"),
        Some((local, host)) if local.is_empty() || local.contains('@') || !is_host(host) => {
            Some("it is no user@host")
        }
        Some(_) => None,
    }
}

fn wrong_uri(bytes: &[u8]) -> Option<&'static str> {
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii()) else {
        return Some("it is not ASCII");
    };
    let Some((scheme, rest)) = text.split_once(':') else { return Some("it has no scheme") };
    let mut letters = scheme.bytes();
    let right = letters.next().is_some_and(|b| b.is_ascii_alphabetic())
        && letters.all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    if !right {
        return Some("it has no scheme");
    }
    if rest.is_empty() || text.bytes().any(|b| b.is_ascii_control() || b" <>\"{}|\\^`".contains(&b)) {
        return Some("it is no URI");
    }
    let authority = rest.strip_prefix("//")?.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.starts_with('[') {
        let inner = host.trim_start_matches('[').split(']').next().unwrap_or_default();
        return inner.parse::<std::net::Ipv6Addr>().err().map(|_| "its host is no address");
    }
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    (!is_host(host) || !(host.contains('.') || scheme == "spiffe"))
        .then_some("its host is no full name and no address")
}

fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        })
}

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    Outcome::all(names(certificate).filter_map(|name| {
        let observed = match &name.form {
            NameForm::Email(bytes) => wrong_mailbox(bytes)?,
            NameForm::Uri(bytes) => wrong_uri(bytes)?,
            _ => return None,
        };
        Some(found(certificate, name, format!("{name}: {observed}")))
    }))
}
