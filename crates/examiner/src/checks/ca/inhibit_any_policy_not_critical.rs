//! inhibitAnyPolicy is critical.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "inhibit-any-policy-not-critical",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.14",
    expected: "inhibitAnyPolicy marked critical",
    remedy: "Issue the CA certificate again with the extension put right.",
    affected: "strict clients; others do not apply it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(ISSUERS, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match certificate.extension(id::INHIBIT_ANY_POLICY) {
        Some(extension) if !extension.is_critical() => {
            Outcome::found(certificate, extension.place.clone(), "inhibitAnyPolicy is not critical")
        }
        _ => Outcome::Pass,
    }
}
