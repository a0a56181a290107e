//! A public root lives between 8 and 25 years.

use super::prelude::*;
use crate::dates::BR_PROFILES;

pub static CHECK: Check = Check {
    id: "root-validity-out-of-range",
    severity: Severities::web(Warning),
    clause: "BR section 7.1.2.1.1",
    expected: "2922 to 9132 days",
    remedy: "Nothing at a site; the CA answers for it.",
    affected: "root programmes",
    in_force: Some(BR_PROFILES),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(ROOTS, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let (Some(first), Some(last)) = (certificate.not_before, certificate.not_after) else {
        return Outcome::Pass;
    };
    let days = (last.seconds() - first.seconds() + 1 + 86_399).div_euclid(86_400);
    if days < 0 || (2922..=9132).contains(&days) {
        return Outcome::Pass;
    }
    Outcome::found(
        certificate,
        certificate.place_of(certificate.fields().not_after, "tbsCertificate.validity.notAfter"),
        format!("it lives {days} days"),
    )
}
