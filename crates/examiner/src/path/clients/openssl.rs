//! A model of OpenSSL 3 with its defaults and security level 2, such as Debian ships it.
//!
//! OpenSSL looks for the issuer of the last certificate among the trust anchors first, then among what was served, takes
//! the first that fits and is valid now (else the one that ends last), and never turns back. What it has then built is
//! validated as one path. By default a path must end at a self-signed trust anchor.

use crate::cert::tlv::{Budget, Element, read};
use crate::cert::{UnixTime, oid};
use crate::chain::extensions::{KeyUsageBits, id};
use crate::chain::{
    Chain, Decoded, DistinguishedName, Examinee, Key, KeyParts, NameAt, NameAttribute, NameForm, Place,
};
use crate::path::name_constraints;
use crate::path::signature;
use crate::report::shown;

use super::{Client, Judged};

/// As many certificates as OpenSSL puts into a path.
const MAX_LENGTH: usize = 102;
/// As many names times constraints as it takes at a step (`NC_CHECK_MAX`).
const COMPARISONS: usize = 1 << 20;
/// The critical extensions that it handles (`X509_supported_extension`).
const HANDLED: &[&str] = &[
    id::KEY_USAGE,
    id::SUBJECT_ALT_NAME,
    id::BASIC_CONSTRAINTS,
    id::CERTIFICATE_POLICIES,
    id::CRL_DISTRIBUTION_POINTS,
    id::EXTENDED_KEY_USAGE,
    id::POLICY_CONSTRAINTS,
    id::NAME_CONSTRAINTS,
    id::POLICY_MAPPINGS,
    id::INHIBIT_ANY_POLICY,
    "2.16.840.1.113730.1.1",
    "1.3.6.1.5.5.7.1.7",
    "1.3.6.1.5.5.7.1.8",
    "1.3.6.1.5.5.7.1.14",
];

/// What OpenSSL says of the chain. With `with_beside` it is also given the certificates beside what was served.
pub fn judge(chain: &Chain, purpose: &str, at: UnixTime, with_beside: bool) -> Judged {
    let mut untrusted: Vec<&Examinee> = chain.served.iter().collect();
    if with_beside {
        untrusted.extend(&chain.beside);
    }
    let trusted: Vec<&Examinee> = chain.anchors.iter().flatten().collect();
    let (path, ends_trusted) = follow(untrusted, &trusted, at);
    let verdict = if path.iter().any(|one| !is_decodable(one)) {
        Err("a certificate on the way cannot be decoded".to_owned())
    } else if let Some(wrong) = ends_trusted {
        Err(wrong)
    } else {
        validate(&path, purpose, at)
    };
    Judged {
        client: Client::OpenSsl,
        who: Client::OpenSsl.families(purpose),
        verdict,
        would_fetch: None,
        path: path.iter().map(|one| one.index).collect(),
    }
}

/// Whether all that OpenSSL caches of a certificate can be decoded, and no extension stands twice.
fn is_decodable(one: &Examinee) -> bool {
    fn fine<T>(decoded: &Decoded<T>) -> bool {
        matches!(decoded, Decoded::Absent | Decoded::Read(_))
    }
    let known = &one.known;
    let is_constructed = |place: &Place| one.der().get(place.range.start).is_some_and(|tag| tag & 0x20 != 0);
    let is_name = |name: &NameAt| match name.form {
        NameForm::Wrong => false,
        NameForm::X400 | NameForm::EdiParty => is_constructed(&name.place),
        _ => true,
    };
    let twice = |i: usize| one.extensions[..i].iter().any(|other| other.oid == one.extensions[i].oid);
    let mut names = known.subject_alt_name.read().into_iter().flatten();
    one.is_certificate()
        && names.all(is_name)
        && fine(&known.basic_constraints)
        && fine(&known.key_usage)
        && fine(&known.extended_key_usage)
        && fine(&known.subject_key_id)
        && fine(&known.authority_key_id)
        && fine(&known.subject_alt_name)
        && fine(&known.name_constraints)
        && fine(&known.crl_distribution_points)
        && !(0..one.extensions.len()).any(twice)
}

/// The one path that is built, and what is wrong with its end (`build_chain` in x509_vfy.c).
fn follow<'a>(
    untrusted: Vec<&'a Examinee>,
    trusted: &[&'a Examinee],
    at: UnixTime,
) -> (Vec<&'a Examinee>, Option<String>) {
    let Some((first, rest)) = untrusted.split_first() else {
        return (Vec::new(), Some("nothing was served".into()));
    };
    let mut path = vec![*first];
    let mut rest = rest.to_vec();
    let mut from_untrusted = true;
    while path.len() < MAX_LENGTH {
        let last = path[path.len() - 1];
        if let Some(issuer) = find_issuer(trusted, &path, at) {
            if !is_self_signed(last) {
                path.push(issuer);
                from_untrusted = false;
                if is_self_signed(issuer) {
                    return (path, None);
                }
                continue;
            }
            // A self-signed certificate must be the anchor itself, byte by byte.
            if issuer.der() == last.der() {
                return (path, None);
            }
        }
        let next = match from_untrusted && !is_self_signed(last) {
            true => find_issuer(&rest, &path, at),
            false => None,
        };
        let Some(issuer) = next else { break };
        rest.retain(|one| !std::ptr::eq(*one, issuer));
        path.push(issuer);
    }
    let last = path[path.len() - 1];
    let wrong = match is_self_signed(last) {
        true if path.len() == 1 => "the certificate is self-signed".into(),
        true => format!("{} ends the chain and is no trust anchor", last.shown_name()),
        false => {
            let issuer = last.issuer.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("the certificate of {issuer} is not found, or does not fit")
        }
    };
    (path, Some(wrong))
}

/// The first issuer that fits and is valid now, else the one that ends last (`find_issuer`).
fn find_issuer<'a>(among: &[&'a Examinee], path: &[&Examinee], at: UnixTime) -> Option<&'a Examinee> {
    let last = path[path.len() - 1];
    let mut found: Option<&Examinee> = None;
    for issuer in among.iter().filter(|issuer| may_have_issued(issuer, last)) {
        // A self-signed certificate is its own issuer; another one stands in a path once.
        let alone = path.len() == 1 && is_self_signed(last);
        let is_own = is_self_signed(last) && issuer.der() == last.der();
        if !alone && !is_own && path.iter().any(|one| one.der() == issuer.der()) {
            continue;
        }
        if times(issuer, at).is_ok() {
            return Some(issuer);
        }
        if found.is_none_or(|best| issuer.not_after > best.not_after) {
            found = Some(issuer);
        }
    }
    found
}

/// Whether names, key identifiers and algorithms fit (`ossl_x509_likely_issued`).
fn may_have_issued(issuer: &Examinee, subject: &Examinee) -> bool {
    same_name(issuer.subject.as_ref(), subject.issuer.as_ref())
        && identifiers_fit(issuer, subject)
        && algorithms_fit(issuer, subject)
}

fn is_self_signed(one: &Examinee) -> bool {
    same_name(one.subject.as_ref(), one.issuer.as_ref())
        && identifiers_fit(one, one)
        && algorithms_fit(one, one)
}

/// Names without regard to case, to spaces at the ends and to the type of string (`X509_NAME_cmp`).
fn same_name(a: Option<&DistinguishedName>, b: Option<&DistinguishedName>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    let text =
        |value: String| value.split_ascii_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let same_value = |a: &NameAttribute, b: &NameAttribute| match (a.text(), b.text()) {
        (Some(a), Some(b)) => text(a) == text(b),
        _ => a.bytes == b.bytes,
    };
    let same = |a: &NameAttribute, b: &NameAttribute| a.oid == b.oid && same_value(a, b);
    let pairs = |a: &Vec<NameAttribute>, b: &Vec<NameAttribute>| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
    };
    a.rdns.len() == b.rdns.len() && a.rdns.iter().zip(&b.rdns).all(|(a, b)| pairs(a, b))
}

/// Whether the authority key identifier does not speak against the issuer (`X509_check_akid`).
fn identifiers_fit(issuer: &Examinee, subject: &Examinee) -> bool {
    let Some(authority) = subject.known.authority_key_id.read() else { return true };
    if let (Some(wanted), Some(has)) = (&authority.key_id, issuer.known.subject_key_id.read())
        && *wanted != has.id
    {
        return false;
    }
    if !authority.has_serial && !authority.has_issuer {
        return true;
    }
    let tree = read(subject.der()[authority.place.range.clone()].into(), Budget::default());
    let Some(root) = tree.root() else { return true };
    let serial = root.context_child(2).map(Element::content);
    // authorityCertIssuer is a list; its first directoryName counts, [4] around the name.
    let name = root.context_child(1).and_then(|names| names.children().find(|name| name.is_context(4)));
    serial.is_none_or(|serial| serial == issuer.serial())
        && name.and_then(|name| name.child(0)).is_none_or(|name| name.bytes() == issuer.issuer_der())
}

/// Whether the signature's algorithm is one of the issuer's kind of key (`check_sig_alg_match`).
fn algorithms_fit(issuer: &Examinee, subject: &Examinee) -> bool {
    let (Some(key), Some(algorithm)) = (&issuer.key, &subject.signature_algorithm) else { return false };
    match algorithm.oid.as_str() {
        one if one.starts_with("1.2.840.113549.1.1.") => key.algorithm.oid.starts_with("1.2.840.113549.1.1."),
        one if one.starts_with("1.2.840.10045.4.") => key.algorithm.oid == Key::EC,
        one if one.starts_with("1.3.101.") => key.algorithm.oid == one,
        _ => true,
    }
}

/// What holds for the path as built (`verify_chain`).
fn validate(path: &[&Examinee], purpose: &str, at: UnixTime) -> Result<(), String> {
    let mut below = 0u64;
    for (depth, one) in path.iter().enumerate() {
        extensions(one, depth, depth + 1 == path.len(), purpose, below)?;
        if depth > 0 && !one.is_self_issued() {
            below += 1;
        }
    }
    for (depth, one) in path.iter().enumerate() {
        strong_enough(one, depth + 1 == path.len())?;
    }
    for (depth, one) in path.iter().enumerate() {
        if depth > 0 && one.is_self_issued() {
            continue;
        }
        for issuer in &path[depth + 1..] {
            if let Some(constraints) = issuer.known.name_constraints.read() {
                let subtrees = [&constraints.permitted, &constraints.excluded];
                let subtrees: usize = subtrees.into_iter().flatten().map(Vec::len).sum();
                let subject = one.subject.as_ref().map_or(0, |subject| subject.attributes().count());
                let names = subject + one.known.subject_alt_name.read().map_or(0, Vec::len);
                if names * subtrees > COMPARISONS {
                    return Err(format!("{} has too many names to compare", one.shown_name()));
                }
                name_constraints::allow(constraints, one, &mut { usize::MAX }).map_err(|(_, why)| why)?;
                // A common name that looks like a host counts as one where no alternative name does.
                let hosts = if depth == 0 { hosts_in_subject(one) } else { Vec::new() };
                if let Some(host) = hosts.iter().find(|host| !name_constraints::allow_host(constraints, host))
                {
                    return Err(format!("its issuer does not allow the common name {}", shown(host)));
                }
            }
        }
    }
    for pair in path.windows(2) {
        if signature::verdict(pair[0], pair[1]) == Some(false) {
            return Err(format!("the signature of {} does not verify", pair[0].shown_name()));
        }
    }
    path.iter().rev().try_for_each(|one| times(one, at))
}

/// The common names that it takes for host names (`cn2dnsid`): where there is no dNSName, those of letters, digits,
/// hyphens, underscores and at least one inner dot.
fn hosts_in_subject(one: &Examinee) -> Vec<String> {
    let mut names = one.known.subject_alt_name.read().into_iter().flatten();
    if names.any(|name| matches!(name.form, NameForm::Dns(_))) {
        return Vec::new();
    }
    let is_host = |text: &String| {
        let inner = &text[1.min(text.len())..text.len().saturating_sub(1)];
        let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
            && ["..", ".-", "-."].iter().all(|pair| !text.contains(pair))
            && edge(text.as_bytes().first())
            && edge(text.as_bytes().last())
            && inner.contains('.')
    };
    let subject = one.subject.iter().flat_map(|subject| subject.of_type("2.5.4.3"));
    subject.filter_map(NameAttribute::text).filter(is_host).collect()
}

/// What one certificate may do at its place (`check_extensions`).
fn extensions(one: &Examinee, depth: usize, is_last: bool, purpose: &str, below: u64) -> Result<(), String> {
    let name = one.shown_name();
    for extension in one.extensions.iter().filter(|extension| extension.is_critical()) {
        if !HANDLED.contains(&extension.oid.as_str()) {
            return Err(format!("{name} has the unknown critical extension {}", extension.oid));
        }
    }
    let usage = one.known.key_usage.read();
    if depth > 0 {
        let may_sign = usage.is_none_or(|usage| usage.has(KeyUsageBits::KEY_CERT_SIGN));
        let is_ca = match &one.known.basic_constraints {
            Decoded::Read(constraints) => constraints.is_ca,
            // Without basicConstraints only the root, an old one or one with a key usage, passes for a CA.
            _ => is_last && ((one.version() == Some(1) && is_self_signed(one)) || usage.is_some()),
        };
        if !is_ca || !may_sign {
            return Err(format!("{name} is no CA"));
        }
    } else if let Some(usage) = usage {
        let fits: &[u8] = match purpose {
            oid::CLIENT_AUTH => &[KeyUsageBits::DIGITAL_SIGNATURE, KeyUsageBits::KEY_AGREEMENT],
            _ => &[
                KeyUsageBits::DIGITAL_SIGNATURE,
                KeyUsageBits::KEY_ENCIPHERMENT,
                KeyUsageBits::KEY_AGREEMENT,
            ],
        };
        if !fits.iter().any(|bit| usage.has(*bit)) {
            return Err(format!("the key usage of {name} does not allow it"));
        }
    }
    // anyExtendedKeyUsage alone is not enough for it.
    if one.known.extended_key_usage.read().is_some() && !one.has_purpose(purpose) {
        return Err(format!("the extended key usage of {name} does not allow it"));
    }
    let length = one.known.basic_constraints.read().and_then(|constraints| constraints.path_length.as_ref());
    match length {
        Some(length) if depth > 1 && below > length.value.unwrap_or(0) => {
            Err(format!("the path length of {name} is exceeded"))
        }
        _ => Ok(()),
    }
}

/// 112 bits of security for every key, and for every signature but the anchor's own (security level 2).
fn strong_enough(one: &Examinee, is_anchor: bool) -> Result<(), String> {
    let weak_key = one.key.as_ref().is_some_and(|key| match &key.parts {
        KeyParts::Ec { curve } => matches!(curve.as_deref(), Some("1.2.840.10045.3.1.1")),
        KeyParts::Rsa { .. } => key.rsa_bits().is_some_and(|bits| bits < 2048),
        _ => false,
    });
    if weak_key {
        return Err(format!("the key of {} is too small", one.shown_name()));
    }
    const WEAK: [&str; 5] = [
        "1.2.840.113549.1.1.2",
        "1.2.840.113549.1.1.4",
        "1.2.840.113549.1.1.5",
        "1.2.840.10045.4.1",
        "1.2.840.10040.4.3",
    ];
    match one.signature_algorithm.as_ref().filter(|_| !is_anchor) {
        Some(algorithm) if WEAK.contains(&algorithm.oid.as_str()) => {
            Err(format!("the hash in the signature of {} is too weak", one.shown_name()))
        }
        _ => Ok(()),
    }
}

fn times(one: &Examinee, at: UnixTime) -> Result<(), String> {
    match (one.not_before, one.not_after) {
        (Some(first), _) if at < first => Err(format!("{} has not begun", one.shown_name())),
        // The last second does not count for it.
        (_, Some(last)) if at >= last => Err(format!("{} has ended", one.shown_name())),
        (Some(_), Some(_)) => Ok(()),
        _ => Err(format!("the dates of {} cannot be read", one.shown_name())),
    }
}
