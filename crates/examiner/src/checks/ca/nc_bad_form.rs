//! The bases of nameConstraints have the forms that clients compare with.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "nc-bad-form",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.10",
    expected: "host names, mail domains, or an address with its mask",
    remedy: "Issue the CA certificate again with the extension put right.",
    affected: "clients refuse every path over this CA, or do not apply the constraint",
    in_force: None,
    consequence_of: &["certificate-unreadable", "nc-on-leaf"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(constraints) = certificate.known.name_constraints.read() else { return Outcome::Pass };
    let all = constraints.permitted.iter().chain(&constraints.excluded).flatten();
    Outcome::all(all.filter_map(|subtree| {
        let wrong = wrong_with(&subtree.base.form)?;
        Some(Found::new(certificate, subtree.base.place.clone(), format!("{}: {wrong}", subtree.base)))
    }))
}

fn wrong_with(base: &NameForm) -> Option<&'static str> {
    match base {
        NameForm::Dns(name) => wrong_host(name),
        NameForm::Email(name) => {
            let domain = name.rsplit(|octet| *octet == b'@').next().unwrap_or_default();
            match name.iter().filter(|octet| **octet == b'@').count() {
                0 | 1 => wrong_host(domain),
                _ => Some("it has more than one @"),
            }
        }
        NameForm::Uri(name) if name.contains(&b'/') || name.contains(&b':') => {
            Some("it is a URI and not a host")
        }
        NameForm::Uri(name) if !name.is_empty() && !name.trim_ascii_start().contains(&b'.') => {
            Some("it is no fully qualified host name")
        }
        NameForm::Uri(name) => wrong_host(name),
        NameForm::Ip(bytes) => wrong_mask(bytes),
        NameForm::Wrong => Some("it is no GeneralName"),
        _ => None,
    }
}

/// A host, or a domain with a leading dot, which is common and understood; empty stands for all.
fn wrong_host(name: &[u8]) -> Option<&'static str> {
    let name = name.strip_prefix(b".").unwrap_or(name);
    if name.is_empty() {
        None
    } else if name.contains(&b'*') {
        Some("it has a wildcard")
    } else if !name.iter().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(octet)) {
        Some("it has characters that no host name has")
    } else if name.split(|octet| *octet == b'.').any(<[u8]>::is_empty) {
        Some("it has an empty label")
    } else {
        None
    }
}

fn wrong_mask(bytes: &[u8]) -> Option<&'static str> {
    if bytes.len() != 8 && bytes.len() != 32 {
        return Some("it is no address with a mask");
    }
    let (address, mask) = bytes.split_at(bytes.len() / 2);
    let ones = mask.iter().map(|octet| octet.leading_ones()).take_while(|ones| *ones == 8).count();
    let partly = mask.get(ones).is_some_and(|octet| octet.leading_ones() + octet.trailing_zeros() < 8);
    if partly || mask.iter().skip(ones + 1).any(|octet| *octet != 0) {
        return Some("the ones of its mask are not together");
    }
    address
        .iter()
        .zip(mask)
        .any(|(octet, mask)| octet & !mask != 0)
        .then_some("the address has bits outside its mask")
}
