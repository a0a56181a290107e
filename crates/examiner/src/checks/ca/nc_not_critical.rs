//! nameConstraints is critical.
//!
//! The public web allows it not to be, for old systems that do not know it.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "nc-not-critical",
    severity: Severities::all(Warning).rfc5280(Some(Error)),
    clause: "RFC 5280 section 4.2.1.10, BR section 7.1.2.10.8",
    expected: "nameConstraints marked critical",
    remedy: "Issue the CA certificate again with the extension put right.",
    affected: "clients that do not know the extension: they take names that the CA may not certify",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(ISSUERS, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match certificate.extension(id::NAME_CONSTRAINTS) {
        Some(extension) if !extension.is_critical() => {
            Outcome::found(certificate, extension.place.clone(), "nameConstraints is not critical")
        }
        _ => Outcome::Pass,
    }
}
