//! By what a PKCS#12 file is sealed (RFC 7292), as far as it tells without its password.

use crate::cert::tlv::{Budget, Element, Tree, read, tag};
use crate::report::Severity;

use super::{About, Input, Note, PKCS12_OLD};

/// encryptedData (RFC 5652 section 8).
const ENCRYPTED_DATA: &str = "1.2.840.113549.1.7.6";
/// pkcs8ShroudedKeyBag (RFC 7292 section 4.2.2).
const SHROUDED_KEY: &str = "1.2.840.113549.1.12.10.1.2";

/// Notes the algorithms of old. RC2, RC4, DES and a missing MAC weigh more than triple-DES with SHA-1, which opens
/// everywhere and holds under a long random password.
pub(super) fn note(input: &mut Input, tree: &Tree, line: Option<usize>) {
    let Some(root) = tree.root() else { return };
    let mut found: Vec<(&str, Severity)> = sealed_by(root).iter().filter_map(|oid| old(oid)).collect();
    match root.child(2) {
        None => found.push(("no MAC: what was changed in it goes unnoticed", Severity::Warning)),
        Some(mac) => {
            let hash =
                mac.child(0).and_then(|info| info.child(0)).and_then(|a| a.child(0)).and_then(Element::oid);
            if hash.as_deref() == Some("1.3.14.3.2.26") {
                found.push(("a MAC with SHA-1", Severity::Notice));
            }
        }
    }
    found.sort_by_key(|(what, severity)| (*severity, *what));
    found.dedup();
    if let Some(severity) = found.iter().map(|(_, severity)| *severity).min() {
        let what: Vec<&str> = found.iter().map(|(what, _)| *what).collect();
        let about = About { severity, ..PKCS12_OLD };
        input.notes.push(Note { about, line, observed: format!("it is sealed by {}", what.join(", ")) });
    }
}

/// The algorithms that encrypt its parts, dotted.
fn sealed_by(root: Element<'_>) -> Vec<String> {
    let content =
        |info: Element<'_>| info.context_child(0).and_then(|c| c.child(0)).map(|c| c.content().to_vec());
    let Some(safes) = root.child(1).and_then(content) else { return Vec::new() };
    let safes = read(safes.into(), Budget::default());
    let mut all = Vec::new();
    for safe in safes.root().into_iter().flat_map(Element::children) {
        if safe.child(0).and_then(Element::oid).as_deref() == Some(ENCRYPTED_DATA) {
            let inner = safe.context_child(0).and_then(|c| c.child(0)).and_then(|data| data.child(1));
            all.extend(inner.and_then(|info| info.child(1)).and_then(|a| a.child(0)).and_then(Element::oid));
        } else if let Some(bags) = content(safe) {
            let bags = read(bags.into(), Budget::default());
            for bag in bags.root().into_iter().flat_map(Element::children) {
                if bag.child(0).and_then(Element::oid).as_deref() == Some(SHROUDED_KEY) {
                    let sealed =
                        bag.context_child(0).and_then(|c| c.child(0)).filter(|e| e.is(tag::SEQUENCE));
                    all.extend(
                        sealed.and_then(|s| s.child(0)).and_then(|a| a.child(0)).and_then(Element::oid),
                    );
                }
            }
        }
    }
    all
}

/// An algorithm of old by its name; `None` for PBES2 and what is not known.
fn old(oid: &str) -> Option<(&'static str, Severity)> {
    Some(match oid {
        "1.2.840.113549.1.12.1.1" | "1.2.840.113549.1.12.1.2" => ("RC4", Severity::Warning),
        "1.2.840.113549.1.12.1.3" => ("triple-DES", Severity::Notice),
        "1.2.840.113549.1.12.1.4" => ("triple-DES with two keys", Severity::Warning),
        "1.2.840.113549.1.12.1.5" => ("RC2 of 128 bits", Severity::Warning),
        "1.2.840.113549.1.12.1.6" => ("RC2 of 40 bits", Severity::Warning),
        _ => return None,
    })
}
