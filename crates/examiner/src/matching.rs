//! Whether a certificate names the expected peer (RFC 9525 section 6). The common name never counts.

use crate::chain::{Examinee, NameForm};
use crate::profile::PeerName;

/// Whether a subject alternative name of the certificate is the expected one. Undecodable names: no.
pub fn names_peer(certificate: &Examinee, expected: &PeerName) -> bool {
    let Some(names) = certificate.known.subject_alt_name.read() else { return false };
    names.iter().any(|name| match (&name.form, expected) {
        (NameForm::Dns(pattern), PeerName::Dns(host)) => dns_matches(pattern, host),
        (NameForm::Ip(_), PeerName::Ip(ip)) => name.ip() == Some(*ip),
        (NameForm::Email(mailbox), PeerName::Email(expected)) => email_matches(mailbox, expected),
        _ => false,
    })
}

/// Whether a dNSName, perhaps with a wildcard as its whole first label, matches a host name (RFC 9525 section 6.3).
///
/// The wildcard stands for exactly one label, and at least two labels follow it.
pub fn dns_matches(pattern: &[u8], host: &str) -> bool {
    let Ok(pattern) = std::str::from_utf8(pattern) else { return false };
    if pattern.is_empty() || host.is_empty() {
        return false;
    }
    match pattern.strip_prefix("*.") {
        Some(parent) => {
            let Some((label, rest)) = host.split_once('.') else { return false };
            let whole = !label.is_empty() && parent.contains('.') && !parent.contains('*');
            whole && rest.eq_ignore_ascii_case(parent)
        }
        None => !pattern.contains('*') && pattern.eq_ignore_ascii_case(host),
    }
}

/// Whether two mailboxes are the same: the local part as it is written, the host without case (RFC 5280 section 7.5).
fn email_matches(mailbox: &[u8], expected: &str) -> bool {
    let Ok(mailbox) = std::str::from_utf8(mailbox) else { return false };
    match (mailbox.rsplit_once('@'), expected.rsplit_once('@')) {
        (Some((local, host)), Some((expected, at))) => local == expected && host.eq_ignore_ascii_case(at),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_one_whole_first_label() {
        for (pattern, host, matches) in [
            ("a.example.test", "A.example.test", true),
            ("*.example.test", "a.example.test", true),
            ("*.example.test", "a.b.example.test", false),
            ("*.example.test", "example.test", false),
            ("*.test", "example.test", false),
            ("*", "test", false),
            ("a*.example.test", "ab.example.test", false),
            ("a.*.test", "a.b.test", false),
            ("*.*.test", "a.b.test", false),
            ("*.example.test", ".example.test", false),
            ("", "", false),
        ] {
            assert_eq!(dns_matches(pattern.as_bytes(), host), matches, "{pattern} {host}");
        }
    }

    #[test]
    fn a_mailbox_keeps_the_case_of_its_local_part() {
        assert!(email_matches(b"Foo@Example.test", "Foo@example.test"));
        assert!(!email_matches(b"Foo@example.test", "foo@example.test"));
        assert!(!email_matches(b"example.test", "example.test"));
    }
}
