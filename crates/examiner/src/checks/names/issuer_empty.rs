//! The issuer is named.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "issuer-empty",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.1.2.4",
    expected: "a name with at least one attribute",
    remedy: "Give the CA's own certificate a subject, and issue again.",
    affected: "every client: no path can be built",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match &certificate.issuer {
        Some(issuer) if issuer.is_empty() => {
            Outcome::found(certificate, issuer.place.clone(), "the issuer has no attribute")
        }
        _ => Outcome::Pass,
    }
}
