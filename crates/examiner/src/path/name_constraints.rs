//! Name constraints (RFC 5280 section 4.2.1.10), for every type of name.

use crate::chain::extensions::{NameConstraints, Subtree};
use crate::chain::{DistinguishedName, Examinee, NameAttribute, NameForm};

type Refused = (&'static str, String);

const EMAIL_ADDRESS: &str = "1.2.840.113549.1.9.1";

/// How a name stands to a subtree.
enum Match {
    Inside,
    Outside,
    /// One of the two is malformed.
    Malformed,
}

/// Whether the constraints allow all names of a certificate below. `comparisons` is what is left of the budget.
pub(super) fn allow(
    constraints: &NameConstraints,
    certificate: &Examinee,
    comparisons: &mut usize,
) -> Result<(), Refused> {
    let permitted = constraints.permitted.as_deref().unwrap_or(&[]);
    let excluded = constraints.excluded.as_deref().unwrap_or(&[]);
    for subtree in permitted.iter().chain(excluded) {
        if subtree.minimum.is_some_and(|minimum| minimum != 0) || subtree.maximum.is_some() {
            return Err(("nc-min-max-used", "its issuer's constraints use minimum or maximum".into()));
        }
        if !is_well_formed(&subtree.base.form) {
            return Err(("nc-bad-form", format!("its issuer's constraint {} is malformed", subtree.base)));
        }
    }
    for (name, shown) in names(certificate) {
        let mut constrained = false;
        let mut inside = false;
        let same_type =
            |subtree: &&Subtree| std::mem::discriminant(&subtree.base.form) == std::mem::discriminant(&name);
        let permitted = permitted.iter().filter(same_type).map(|subtree| (subtree, true));
        let excluded = excluded.iter().filter(same_type).map(|subtree| (subtree, false));
        for (subtree, permits) in permitted.chain(excluded) {
            let Some(left) = comparisons.checked_sub(1) else {
                let why = "more comparisons of names with constraints than are made".to_owned();
                return Err(("path-loop-or-explosion", why));
            };
            *comparisons = left;
            constrained |= permits;
            match compare(&name, &subtree.base.form, permits) {
                Match::Malformed => {
                    return Err((
                        "nc-violated",
                        format!("{shown} is malformed or of a type that cannot be compared"),
                    ));
                }
                Match::Inside if permits => inside = true,
                Match::Inside => return Err(("nc-violated", format!("{shown} is excluded by its issuer"))),
                Match::Outside => {}
            }
        }
        if constrained && !inside {
            return Err(("nc-violated", format!("{shown} is not among the names that its issuer permits")));
        }
    }
    Ok(())
}

/// Whether the constraints on host names allow this one, which stands for a host although it is no alternative name.
pub(super) fn allow_host(constraints: &NameConstraints, host: &str) -> bool {
    let inside = |subtree: &Subtree, permits: bool| match &subtree.base.form {
        NameForm::Dns(base) => Some(dns(host.as_bytes(), base, permits) == Some(true)),
        _ => None,
    };
    let permitted = constraints.permitted.iter().flatten().filter_map(|subtree| inside(subtree, true));
    let permitted: Vec<bool> = permitted.collect();
    let mut excluded = constraints.excluded.iter().flatten().filter_map(|subtree| inside(subtree, false));
    (permitted.is_empty() || permitted.contains(&true)) && !excluded.any(|inside| inside)
}

/// All that a certificate names: its alternative names, its subject, and mailboxes in the subject where no alternative
/// name is a mailbox.
fn names(certificate: &Examinee) -> Vec<(NameForm, String)> {
    let alternative = certificate.known.subject_alt_name.read().map_or(&[][..], Vec::as_slice);
    let mut all: Vec<(NameForm, String)> =
        alternative.iter().map(|name| (name.form.clone(), name.to_string())).collect();
    if let Some(subject) = certificate.subject.as_ref().filter(|subject| !subject.is_empty()) {
        let der = certificate.subject_der().to_vec();
        all.push((NameForm::Directory(subject.clone(), der), format!("the subject {subject}")));
        if !alternative.iter().any(|name| matches!(name.form, NameForm::Email(_))) {
            for mailbox in subject.of_type(EMAIL_ADDRESS) {
                let shown = mailbox.text().unwrap_or_default();
                all.push((NameForm::Email(mailbox.bytes.clone()), crate::report::shown(&shown)));
            }
        }
    }
    all
}

/// Whether a constraint's base has a form that can be compared with.
fn is_well_formed(base: &NameForm) -> bool {
    match base {
        NameForm::Ip(bytes) => {
            let (address, mask) = bytes.split_at(bytes.len() / 2);
            let bits: Vec<bool> =
                mask.iter().flat_map(|octet| (0..8).map(move |i| octet & (0x80 >> i) != 0)).collect();
            matches!(bytes.len(), 8 | 32) && address.len() == mask.len() && bits.is_sorted_by(|a, b| a >= b)
        }
        NameForm::Dns(bytes) => bytes.is_ascii() && !bytes.contains(&b'*') && !bytes.ends_with(b"."),
        NameForm::Email(bytes) => match text(bytes).map(|text| text.matches('@').count()) {
            Some(0) => true,
            Some(1) => mailbox(bytes).is_some(),
            _ => false,
        },
        NameForm::Uri(bytes) => bytes.is_ascii() && !bytes.contains(&b'/') && !bytes.contains(&b':'),
        NameForm::Wrong => false,
        _ => true,
    }
}

fn compare(name: &NameForm, base: &NameForm, permits: bool) -> Match {
    let told = |inside: Option<bool>| match inside {
        Some(true) => Match::Inside,
        Some(false) => Match::Outside,
        None => Match::Malformed,
    };
    match (name, base) {
        (NameForm::Dns(name), NameForm::Dns(base)) => told(dns(name, base, permits)),
        (NameForm::Ip(name), NameForm::Ip(base)) => told(ip(name, base)),
        (NameForm::Email(name), NameForm::Email(base)) => told(email(name, base)),
        (NameForm::Uri(name), NameForm::Uri(base)) => told(uri(name, base)),
        (NameForm::Directory(name, _), NameForm::Directory(base, _)) => told(Some(directory(name, base))),
        // A type that is constrained and cannot be compared: the certificate must not pass (section 6.1.3).
        _ => Match::Malformed,
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    bytes.is_ascii().then(|| String::from_utf8_lossy(bytes).to_ascii_lowercase())
}

/// Whether a host lies in a domain; a leading dot of the domain asks for at least one label more.
fn in_domain(host: &str, domain: &str) -> bool {
    if domain.is_empty() {
        return true;
    }
    if domain.starts_with('.') {
        return host.ends_with(domain) && host.len() > domain.len();
    }
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

fn dns(name: &[u8], base: &[u8], permits: bool) -> Option<bool> {
    let (name, base) = (text(name)?, text(base)?);
    if name.is_empty() {
        return None;
    }
    match name.strip_prefix("*.") {
        // Everything that the wildcard stands for must be permitted.
        Some(parent) if permits => {
            Some(in_domain(parent, &base) && !base.starts_with('.') || in_domain(&name, &base))
        }
        // Nothing that the wildcard stands for may be excluded.
        Some(parent) => {
            let domain = base.strip_prefix('.').unwrap_or(&base);
            let one_label_below = domain.strip_suffix(parent).and_then(|rest| rest.strip_suffix('.'));
            let covers = one_label_below.is_some_and(|label| !label.is_empty() && !label.contains('.'));
            Some(in_domain(&name, &base) || (covers && !base.starts_with('.')))
        }
        None => Some(in_domain(&name, &base)),
    }
}

fn ip(name: &[u8], base: &[u8]) -> Option<bool> {
    if !matches!(name.len(), 4 | 16) {
        return None;
    }
    let (address, mask) = base.split_at(base.len() / 2);
    if address.len() != name.len() {
        return Some(false);
    }
    Some(name.iter().zip(address).zip(mask).all(|((n, a), m)| n & m == a & m))
}

/// A mailbox as its local part and its host in lower case; `None` where it is none.
fn mailbox(bytes: &[u8]) -> Option<(String, String)> {
    let whole = std::str::from_utf8(bytes).ok().filter(|whole| whole.is_ascii())?;
    let (local, host) = whole.split_once('@')?;
    let right =
        !local.is_empty() && !host.is_empty() && !host.contains('@') && !whole.contains(char::is_whitespace);
    right.then(|| (local.to_owned(), host.to_ascii_lowercase()))
}

fn email(name: &[u8], base: &[u8]) -> Option<bool> {
    let (local, host) = mailbox(name)?;
    if base.contains(&b'@') {
        return Some((local, host) == mailbox(base)?);
    }
    let base = text(base)?;
    Some(base.is_empty() || if base.starts_with('.') { in_domain(&host, &base) } else { host == base })
}

fn uri(name: &[u8], base: &[u8]) -> Option<bool> {
    let (name, base) = (text(name)?, text(base)?);
    let authority = name.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let host_port = authority.rsplit_once('@').map_or(authority, |(_, rest)| rest);
    let host = host_port.split(':').next()?;
    // A host that is an address or missing cannot be in a domain (RFC 5280 section 4.2.1.10).
    if host.is_empty() || host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    Some(base.is_empty() || if base.starts_with('.') { in_domain(host, &base) } else { host == base })
}

/// Whether the base's RDNs are the first of the name's (RFC 5280 section 7.1).
fn directory(name: &DistinguishedName, base: &DistinguishedName) -> bool {
    let same = |a: &[NameAttribute], b: &[NameAttribute]| {
        let set = |rdn: &[NameAttribute]| {
            let mut all: Vec<_> = rdn.iter().map(|one| (one.oid.clone(), folded(one))).collect();
            all.sort();
            all
        };
        set(a) == set(b)
    };
    name.rdns.len() >= base.rdns.len() && name.rdns.iter().zip(&base.rdns).all(|(a, b)| same(a, b))
}

/// A value as it is compared: without case, and with one space for several; bytes where it is no text.
fn folded(attribute: &NameAttribute) -> Result<String, Vec<u8>> {
    let text = attribute.text().ok_or_else(|| attribute.bytes.clone())?;
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_permitted_as_a_whole_and_excluded_for_any_part() {
        assert_eq!(dns(b"*.example.test", b"example.test", true), Some(true));
        assert_eq!(dns(b"*.example.test", b"a.example.test", true), Some(false));
        assert_eq!(dns(b"*.example.test", b"a.example.test", false), Some(true));
        assert_eq!(dns(b"*.example.test", b"a.b.example.test", false), Some(false));
        assert_eq!(dns(b"*.example.test", b"other.test", false), Some(false));
        assert_eq!(dns(b"*.example.test", b"test", false), Some(true));
    }

    #[test]
    fn domains_mailboxes_and_addresses_keep_their_edges() {
        assert_eq!(dns(b"a.example.test", b"example.test", true), Some(true));
        assert_eq!(dns(b"badexample.test", b"example.test", true), Some(false));
        assert_eq!(dns(b"example.test", b".example.test", true), Some(false));
        assert_eq!(email(b"a@example.test", b"example.test"), Some(true));
        assert_eq!(email(b"a@b.example.test", b"example.test"), Some(false));
        assert_eq!(email(b"a@b.example.test", b".example.test"), Some(true));
        assert_eq!(email(b"a@b@c", b"example.test"), None);
        assert_eq!(ip(&[192, 0, 2, 1], &[192, 0, 2, 0, 255, 255, 255, 0]), Some(true));
        assert_eq!(ip(&[192, 0, 3, 1], &[192, 0, 2, 0, 255, 255, 255, 0]), Some(false));
        assert_eq!(ip(&[192, 0, 2], &[192, 0, 2, 0, 255, 255, 255, 0]), None);
        assert!(!is_well_formed(&NameForm::Ip(vec![192, 0, 2, 0, 255, 0, 255, 0])));
        assert_eq!(uri(b"https://u@a.example.test:1/x", b".example.test"), Some(true));
        assert_eq!(uri(b"https://192.0.2.1/", b"example.test"), None);
    }
}
