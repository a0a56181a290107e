//! basicConstraints of a public server certificate, where it is there, is critical.

use super::prelude::*;
use crate::dates::BR_PROFILES;

pub static CHECK: Check = Check {
    id: "bc-leaf-not-critical",
    severity: Severities::web(Warning),
    clause: "BR section 7.1.2.7.8",
    expected: "basicConstraints marked critical, or absent",
    remedy: "Have it issued again with basicConstraints critical, or without.",
    affected: "root programmes; clients take it",
    in_force: Some(BR_PROFILES),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match certificate.extension(id::BASIC_CONSTRAINTS) {
        Some(extension) if !extension.is_critical() => {
            Outcome::found(certificate, extension.place.clone(), "basicConstraints is not critical")
        }
        _ => Outcome::Pass,
    }
}
