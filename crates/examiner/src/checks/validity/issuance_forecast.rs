//! The next certificate can live as long as this one.

use super::prelude::*;
use crate::dates::{LIFETIME_LIMITS, limit_at};

pub static CHECK: Check = Check {
    id: "issuance-forecast",
    severity: Severities::web(Notice),
    clause: "BR section 6.3.2",
    expected: "a lifetime that can still be had at the next renewal",
    remedy: "Automate renewal; the next certificate will live for fewer days.",
    affected: "who renews by hand",
    in_force: None,
    consequence_of: &["certificate-unreadable", "lifetime-too-long"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let (Some(first), Some(last)) = (certificate.not_before, certificate.not_after) else {
        return Outcome::Pass;
    };
    let days = (last.seconds() - first.seconds() + 1 + 86_399).div_euclid(86_400);
    let Some(limit) = limit_at(LIFETIME_LIMITS, last).filter(|limit| limit.from > first && days > limit.days)
    else {
        return Outcome::Pass;
    };
    let observed = format!("it lives {days} days; its renewal on {} can have {}", last.date(), limit.days);
    Found::new(
        certificate,
        certificate.place_of(certificate.fields().not_after, "tbsCertificate.validity.notAfter"),
        observed,
    )
    .in_force(limit.from)
    .into()
}
