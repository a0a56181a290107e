//! A public server certificate lives no longer than the limit of the day it was issued.

use super::prelude::*;
use crate::dates::{LIFETIME_LIMITS, limit_at};

pub static CHECK: Check = Check {
    id: "lifetime-too-long",
    severity: Severities::web(Error),
    clause: "BR section 6.3.2",
    expected: "a lifetime within the limit of the day of issue",
    remedy: "Have it issued for fewer days; automate renewal, since the limits go on falling.",
    affected: "browsers; Apple's systems refuse it outright",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let (Some(first), Some(last)) = (certificate.not_before, certificate.not_after) else {
        return Outcome::Pass;
    };
    let Some(limit) = limit_at(LIFETIME_LIMITS, first) else { return Outcome::Pass };
    // Both ends count, and a day begun is a day (BR section 6.3.2).
    let days = (last.seconds() - first.seconds() + 1 + 86_399).div_euclid(86_400);
    if days <= limit.days {
        return Outcome::Pass;
    }
    let place = certificate.place_of(certificate.fields().not_after, "tbsCertificate.validity.notAfter");
    Found::new(certificate, place, format!("it lives {days} days"))
        .expected(format!("at most {} days, since it was issued {}", limit.days, first.date()))
        .clause(limit.clause)
        .in_force(limit.from)
        .into()
}
