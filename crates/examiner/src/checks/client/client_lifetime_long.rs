//! A client certificate lives 398 days at most.

use super::prelude::*;
use crate::dates::CLIENT_LIFETIME_DAYS;

pub static CHECK: Check = Check {
    id: "client-lifetime-long",
    severity: Severities::client(Warning),
    clause: "practice",
    expected: "at most 398 days",
    remedy: "Issue for fewer days and renew by itself.",
    affected: "whoever has to revoke it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let (Some(first), Some(last)) = (certificate.not_before, certificate.not_after) else {
        return Outcome::Pass;
    };
    let days = (last.seconds() - first.seconds() + 1 + 86_399).div_euclid(86_400);
    if days <= CLIENT_LIFETIME_DAYS {
        return Outcome::Pass;
    }
    let place = certificate.place_of(certificate.fields().not_after, "tbsCertificate.validity.notAfter");
    Outcome::found(certificate, place, format!("it lives {days} days"))
}
