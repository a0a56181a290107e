//! A certificate is renewed before the last fifth of its life.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "expires-soon-relative",
    severity: Severities::all(Warning),
    clause: "practice: renewal is due when a third of the lifetime is left",
    expected: "more than a fifth of the lifetime left",
    remedy: "Renew it now, and find out why what should renew it has not.",
    affected: "every client, once it ends",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let (Some(first), Some(last)) = (certificate.not_before, certificate.not_after) else {
        return Outcome::Pass;
    };
    let (life, left) = (last.seconds() - first.seconds(), last.seconds() - context.at.seconds());
    // What an issuer's own end means for others is said when it has come, or when it ends before the leaf.
    if certificate.role != Role::EndEntity || left < 0 || life <= 0 || left * 5 > life {
        return Outcome::Pass;
    }
    let left = match left {
        0..172_800 => format!("{} hours", left / 3600),
        _ => format!("{} days", left / 86_400),
    };
    Outcome::found(
        certificate,
        certificate.place_of(certificate.fields().not_after, "tbsCertificate.validity.notAfter"),
        format!("it ends {last}, in {left}"),
    )
}
