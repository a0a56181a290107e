//! A root has no policies: those of a trust anchor are not looked at.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "policy-on-root",
    severity: Severities::web(Notice),
    clause: "BR section 7.1.2.1.2",
    expected: "no certificatePolicies",
    remedy: "Nothing to do; leave it out of the next root.",
    affected: "nobody: path validation takes the anchor's name and key",
    in_force: Some(crate::dates::BASELINE),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(ROOTS, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match certificate.known.policies.read() {
        Some(_) => Outcome::found(
            certificate,
            certificate.extension_place(id::CERTIFICATE_POLICIES),
            "it has certificatePolicies",
        ),
        None => Outcome::Pass,
    }
}
