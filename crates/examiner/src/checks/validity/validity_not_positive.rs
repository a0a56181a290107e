//! A certificate does not end before it begins.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "validity-not-positive",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.1.2.5",
    expected: "a notAfter at or after notBefore",
    remedy: "Have the certificate issued again.",
    affected: "every client: it is never valid",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let (Some(first), Some(last)) = (certificate.not_before, certificate.not_after) else {
        return Outcome::Pass;
    };
    if last >= first {
        return Outcome::Pass;
    }
    Outcome::found(
        certificate,
        certificate.place_of(certificate.fields().not_after, "tbsCertificate.validity.notAfter"),
        format!("it ends {last} and begins {first}"),
    )
}
