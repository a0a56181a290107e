//! authorityInfoAccess is not critical.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "aia-critical",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.2.1",
    expected: "authorityInfoAccess that is not critical",
    remedy: "Have it issued again with authorityInfoAccess not critical.",
    affected: "strict clients, and all that do not know the extension",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match certificate.extension(id::AUTHORITY_INFO_ACCESS) {
        Some(extension) if extension.is_critical() => {
            Outcome::found(certificate, extension.place.clone(), "authorityInfoAccess is critical")
        }
        _ => Outcome::Pass,
    }
}
