//! A server certificate lists the names that it is for.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "san-missing",
    severity: Severities::servers(Error),
    clause: "BR section 7.1.2.7.12, RFC 9525 section 6",
    expected: "a subjectAltName with the host names",
    remedy: "Have it issued again with the host names as subject alternative names; the common name does not count.",
    affected: "every browser, and every other client of the last years",
    in_force: None,
    consequence_of: &["certificate-unreadable", "version-not-3"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if certificate.extension(id::SUBJECT_ALT_NAME).is_some() {
        return Outcome::Pass;
    }
    Outcome::found(
        certificate,
        certificate.extension_place(id::SUBJECT_ALT_NAME),
        "there is no subjectAltName",
    )
}
