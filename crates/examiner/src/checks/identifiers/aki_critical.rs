//! authorityKeyIdentifier is not critical.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "aki-critical",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.1",
    expected: "authorityKeyIdentifier that is not critical",
    remedy: "Have it issued again with authorityKeyIdentifier not critical.",
    affected: "strict clients, and all that do not know the extension",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match certificate.extension(id::AUTHORITY_KEY_ID) {
        Some(extension) if extension.is_critical() => {
            Outcome::found(certificate, extension.place.clone(), "authorityKeyIdentifier is critical")
        }
        _ => Outcome::Pass,
    }
}
