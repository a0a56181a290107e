//! Where the subject is empty, the alternative names are critical.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "subject-empty-without-critical-san",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.6",
    expected: "a critical subjectAltName, since the subject is empty",
    remedy: "Have it issued again with a critical subjectAltName, or with a subject.",
    affected: "strict clients",
    in_force: None,
    consequence_of: &["certificate-unreadable", "version-not-3", "client-version-1", "san-missing"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if !certificate.subject.as_ref().is_some_and(|subject| subject.is_empty()) {
        return Outcome::Pass;
    }
    let place = certificate.extension_place(id::SUBJECT_ALT_NAME);
    match certificate.extension(id::SUBJECT_ALT_NAME) {
        None => Outcome::found(certificate, place, "the subject is empty and there is no subjectAltName"),
        Some(one) if !one.is_critical() => {
            Outcome::found(certificate, place, "the subject is empty and subjectAltName is not critical")
        }
        Some(_) => Outcome::Pass,
    }
}
