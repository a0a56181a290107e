//! A CA certificate names its subject.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "ca-subject-empty",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.1.2.6",
    expected: "a name with at least one attribute",
    remedy: "Have the CA certificate issued again with a subject.",
    affected: "every client: no path can be built",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(ISSUERS, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match &certificate.subject {
        Some(subject) if subject.is_empty() => {
            Outcome::found(certificate, subject.place.clone(), "the subject has no attribute")
        }
        _ => Outcome::Pass,
    }
}
