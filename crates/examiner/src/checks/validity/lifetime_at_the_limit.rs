//! A lifetime keeps a day below its limit.

use super::prelude::*;
use crate::dates::{LIFETIME_LIMITS, SHORTER_BY_A_DAY, limit_at};

pub static CHECK: Check = Check {
    id: "lifetime-at-the-limit",
    severity: Severities::web(Notice),
    clause: "BR section 6.3.2",
    expected: "a day less than the limit",
    remedy: "Ask for a day less: clocks and leap seconds make a limit sharp.",
    affected: "nobody; a second more and browsers refuse",
    in_force: Some(SHORTER_BY_A_DAY),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let (Some(first), Some(last)) = (certificate.not_before, certificate.not_after) else {
        return Outcome::Pass;
    };
    let days = (last.seconds() - first.seconds() + 1 + 86_399).div_euclid(86_400);
    let Some(limit) = limit_at(LIFETIME_LIMITS, first).filter(|limit| days == limit.days) else {
        return Outcome::Pass;
    };
    Found::new(
        certificate,
        certificate.place_of(certificate.fields().not_after, "tbsCertificate.validity.notAfter"),
        format!("it lives {days} days; the limit is {}", limit.days),
    )
    .in_force(limit.from)
    .into()
}
