//! Extensions that only inform are not critical.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "extension-wrongly-critical",
    severity: Severities::all(Error),
    clause: "RFC 5280 sections 4.2.1.7, 4.2.1.8, 4.2.1.15 and 4.2.2.2",
    expected: "not critical",
    remedy: "Have the certificate issued again with the extension not critical.",
    affected: "clients that do not know the extension must refuse",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

const INFORMING: &[(&str, &str)] = &[
    (id::ISSUER_ALT_NAME, "issuerAltName"),
    ("2.5.29.9", "subjectDirectoryAttributes"),
    ("2.5.29.46", "freshestCRL"),
    ("1.3.6.1.5.5.7.1.11", "subjectInfoAccess"),
];

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let wrong = certificate.extensions.iter().filter(|one| one.is_critical()).filter_map(|one| {
        let (_, name) = INFORMING.iter().find(|(oid, _)| *oid == one.oid)?;
        let found = Found::new(certificate, one.place.clone(), format!("{name} is critical"));
        // Of issuerAltName the standard says only that it should not be.
        Some(if one.oid == id::ISSUER_ALT_NAME { found.severity(Warning) } else { found })
    });
    Outcome::all(wrong)
}
