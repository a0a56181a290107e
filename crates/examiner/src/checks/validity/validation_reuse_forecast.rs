//! The renewal can rest on the same validation of the domain as this certificate.

use super::prelude::*;
use crate::dates::{VALIDATION_REUSE_LIMITS, limit_at};

pub static CHECK: Check = Check {
    id: "validation-reuse-forecast",
    severity: Severities::web(Notice),
    clause: "BR section 4.2.1",
    expected: "a validation that can still be relied on when the certificate is renewed",
    remedy: "See that the CA can validate the domain at each renewal without anybody's help: by HTTP, DNS or ACME, not by mail or telephone.",
    affected: "who had the domain validated by hand, once for several certificates",
    in_force: None,
    consequence_of: &["certificate-unreadable", "lifetime-too-long", "validity-not-positive"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let (Some(first), Some(last)) = (certificate.not_before, certificate.not_after) else {
        return Outcome::Pass;
    };
    let limit = |at| limit_at(VALIDATION_REUSE_LIMITS, at);
    let (Some(now), Some(then)) = (limit(first), limit(last)) else { return Outcome::Pass };
    let days = (last.seconds() - first.seconds() + 1 + 86_399).div_euclid(86_400);
    // By today's rule one validation is enough for this certificate and the next one; by the rule of then it is not.
    if days > now.days || days <= then.days {
        return Outcome::Pass;
    }
    let observed = format!(
        "it lives {days} days; at its renewal on {} a validation of the domain counts {} days, no longer {}",
        last.date(),
        then.days,
        now.days
    );
    Found::new(
        certificate,
        certificate.place_of(certificate.fields().not_after, "tbsCertificate.validity.notAfter"),
        observed,
    )
    .in_force(then.from)
    .into()
}
