//! Statements of a qualified certificate have the form that the European standard gives them.

use super::prelude::*;
use std::ops::Range;

use crate::cert::tlv::{Element, tag};

pub static CHECK: Check = Check {
    id: "qc-statements-bad",
    severity: Severities::all(Warning),
    clause: "RFC 3739 section 3.2.6, ETSI EN 319 412-5",
    expected: "qcStatements, not critical, each a known form",
    remedy: "Have it issued again with well-formed statements.",
    affected: "software that looks for qualified certificates; TLS clients ignore it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(extension) = certificate.extension(id::QC_STATEMENTS) else { return Outcome::Pass };
    let found = |range: Option<Range<usize>>, observed: String| {
        let place = extension.place.clone();
        let place = match range {
            Some(range) => Place::new(place.path, range),
            None => place,
        };
        Found::new(certificate, place, observed)
    };
    let root = extension.tree.as_ref().and_then(|tree| tree.root()).filter(|root| root.is(tag::SEQUENCE));
    let Some(root) = root else { return found(None, "qcStatements is no list".into()).into() };
    let mut findings = Vec::new();
    if extension.is_critical() {
        findings.push(found(None, "qcStatements is critical".into()));
    }
    if root.children().len() == 0 {
        findings.push(found(None, "qcStatements is empty".into()));
    }
    for statement in root.children() {
        if let Some(wrong) = wrong_with(statement) {
            findings.push(found(Some(statement.range()), wrong));
        }
    }
    Outcome::all(findings)
}

/// What is wrong with one statement, where it is a known one or none at all.
fn wrong_with(statement: Element<'_>) -> Option<String> {
    let Some(kind) = statement.child(0).and_then(Element::oid) else {
        return Some("a statement has no identifier".into());
    };
    let info = statement.child(1);
    let list = || info.filter(|info| info.is(tag::SEQUENCE));
    let right = match kind.as_str() {
        // Compliance, and the key in a qualified device: the identifier says it all.
        "0.4.0.1862.1.1" | "0.4.0.1862.1.4" => info.is_none(),
        // The limit of a transaction: currency, amount, exponent.
        "0.4.0.1862.1.2" => list().is_some_and(|list| list.children().len() == 3),
        // Years that records are kept.
        "0.4.0.1862.1.3" => info.is_some_and(|info| info.unsigned().is_some()),
        // Disclosure statements: an https address and a language of two letters each.
        "0.4.0.1862.1.5" => {
            list().is_some_and(|list| list.children().len() > 0 && list.children().all(disclosure))
        }
        // The kind of the certificate.
        "0.4.0.1862.1.6" => list().is_some_and(|list| {
            list.children().len() > 0 && list.children().all(|kind| kind.oid().is_some())
        }),
        _ => true,
    };
    (!right).then(|| format!("the statement {kind} is malformed"))
}

fn disclosure(pair: Element<'_>) -> bool {
    let uri =
        pair.child(0).is_some_and(|uri| uri.is(tag::IA5_STRING) && uri.content().starts_with(b"https://"));
    let language = pair.child(1).is_some_and(|code| {
        code.is(tag::PRINTABLE_STRING)
            && code.content().len() == 2
            && code.content().iter().all(u8::is_ascii_alphabetic)
    });
    uri && language
}
