//! A trust anchor has not ended.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "root-expired-but-anchor",
    severity: Severities::all(Notice),
    clause: "RFC 5280 section 6.1.1",
    expected: "an anchor that is not over",
    remedy: "Give out trust in a newer root, or have the CA cross-sign with one.",
    affected: "most clients refuse; old Android ignores the date of an anchor",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(ROOTS, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let Some(not_after) = certificate.not_after.filter(|not_after| *not_after < context.at) else {
        return Outcome::Pass;
    };
    Outcome::found(
        certificate,
        certificate.place_of(certificate.fields().not_after, "tbsCertificate.validity.notAfter"),
        format!("it ended {not_after}"),
    )
}
