//! Where there is a subject, the alternative names are not critical.

use super::prelude::*;
use crate::dates::RFC_5280;

pub static CHECK: Check = Check {
    id: "san-critical-with-subject",
    severity: Severities::web(Warning).rfc5280(Some(Notice)),
    clause: "BR section 7.1.2.7.12, RFC 5280 section 4.2.1.6",
    expected: "subjectAltName not critical, since there is a subject",
    remedy: "Nothing to do now; next time not critical, or without a subject.",
    affected: "linters alone",
    in_force: Some(RFC_5280),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let named = certificate.subject.as_ref().is_some_and(|subject| !subject.is_empty());
    match certificate.extension(id::SUBJECT_ALT_NAME).filter(|one| named && one.is_critical()) {
        Some(one) => Outcome::found(certificate, one.place.clone(), "subjectAltName is critical"),
        None => Outcome::Pass,
    }
}
