//! Statements of a qualified certificate have the form that the European standard gives them.

use super::prelude::*;
use super::shared_statements::{COMPLIANCE, DISCLOSURE, is_for_websites, wrong_with};
use crate::cert::tlv::{Element, tag};
use crate::dates::EACH_STATEMENT_ONCE;

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

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let Some(extension) = certificate.extension(id::QC_STATEMENTS) else { return Outcome::Pass };
    let whole = |observed: &str| Found::new(certificate, extension.place.clone(), observed);
    let at = |statement: Element<'_>, observed: String| {
        Found::new(certificate, Place::new(extension.place.path.clone(), statement.range()), observed)
    };
    let root = extension.tree.as_ref().and_then(|tree| tree.root()).filter(|root| root.is(tag::SEQUENCE));
    let Some(root) = root else { return whole("qcStatements is no list").into() };
    let mut findings = Vec::new();
    if extension.is_critical() {
        findings.push(whole("qcStatements is critical"));
    }
    if root.children().len() == 0 {
        findings.push(whole("qcStatements is empty"));
    }
    let issued = certificate.not_before;
    let kinds: Vec<String> =
        root.children().map(|one| one.child(0).and_then(Element::oid).unwrap_or_default()).collect();
    for (i, statement) in root.children().enumerate() {
        if let Some(wrong) = wrong_with(statement, issued) {
            findings.push(at(statement, wrong));
        } else if kinds[..i].contains(&kinds[i]) && issued.is_none_or(|day| day >= EACH_STATEMENT_ONCE) {
            findings.push(at(statement, format!("the statement {} stands twice", kinds[i])));
        }
    }
    // What makes it one of the European regulation.
    if kinds.iter().any(|kind| kind.starts_with("0.4.0.1862.1.")) {
        for (kind, name) in [(COMPLIANCE, "compliance"), (DISCLOSURE, "disclosures")] {
            if !kinds.iter().any(|one| one == kind) {
                findings.push(whole(&format!("the statement of {name} is missing")).likely());
            }
        }
    }
    if context.profile == Profile::Web && is_for_websites(root) == Some(false) {
        findings.push(whole("its type is not that of websites"));
    }
    Outcome::all(findings)
}
