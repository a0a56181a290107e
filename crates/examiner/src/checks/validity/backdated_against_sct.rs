//! A certificate begins at most 48 hours before it was made.

use super::prelude::*;
use crate::chain::SignedTimestamp;
use crate::dates::BR_PROFILES;

pub static CHECK: Check = Check {
    id: "backdated-against-sct",
    severity: Severities::web(Warning),
    clause: "BR section 7.1.2.7",
    expected: "a notBefore within 48 hours of the signing",
    remedy: "Ask the CA for a certificate that begins when it is issued.",
    affected: "nobody today; it evades rules that have a date",
    in_force: Some(BR_PROFILES),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let stamps = SignedTimestamp::embedded(certificate).and_then(Result::ok).unwrap_or_default();
    let made = stamps.iter().map(SignedTimestamp::made).min();
    let (Some(first), Some(made)) = (certificate.not_before, made) else { return Outcome::Pass };
    let hours = (made.seconds() - first.seconds()) / 3600;
    if hours <= 48 {
        return Outcome::Pass;
    }
    let observed = format!("it begins {first}, and the first log saw it {made}, {hours} hours later");
    Found::new(
        certificate,
        certificate.place_of(certificate.fields().not_before, "tbsCertificate.validity.notBefore"),
        observed,
    )
    .likely()
    .into()
}
