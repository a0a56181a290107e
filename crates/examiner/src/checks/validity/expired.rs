//! The certificate has not ended: notAfter is its last second.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "expired",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 6.1.3",
    expected: "a notAfter that is not over",
    remedy: "Renew the certificate, and see that what renews it also reloads the server.",
    affected: "every client",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let Some(not_after) = certificate.not_after.filter(|not_after| *not_after < context.at) else {
        return Outcome::Pass;
    };
    let place = certificate.place_of(certificate.fields().not_after, "tbsCertificate.validity.notAfter");
    Outcome::found(certificate, place, format!("it ended {not_after}"))
}
