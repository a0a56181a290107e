//! The certificate has begun: notBefore is its first second.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "not-yet-valid",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 6.1.3",
    expected: "a notBefore that is not ahead",
    remedy: "Wait until then, or set the clock right, or have it issued again.",
    affected: "every client",
    in_force: None,
    consequence_of: &["certificate-unreadable", "validity-not-positive"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let Some(not_before) = certificate.not_before.filter(|not_before| *not_before > context.at) else {
        return Outcome::Pass;
    };
    Outcome::found(
        certificate,
        certificate.place_of(certificate.fields().not_before, "tbsCertificate.validity.notBefore"),
        format!("it begins {not_before}"),
    )
}
