//! certificatePolicies is not critical.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "policy-critical",
    severity: Severities::web(Warning),
    clause: "BR section 7.1.2.7.6, section 7.1.2.10.3",
    expected: "certificatePolicies that is not critical",
    remedy: "Have it issued again with certificatePolicies not critical.",
    affected: "a few clients that refuse it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match certificate.extension(id::CERTIFICATE_POLICIES) {
        Some(extension) if extension.is_critical() => {
            Outcome::found(certificate, extension.place.clone(), "certificatePolicies is critical")
        }
        _ => Outcome::Pass,
    }
}
