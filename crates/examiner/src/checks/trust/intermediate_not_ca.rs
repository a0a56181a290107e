//! A certificate that issued another says of itself that it is a CA.

use super::prelude::*;
use super::shared_path;

pub static CHECK: Check = Check {
    id: "intermediate-not-ca",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 6.1.4 (k)",
    expected: "basicConstraints with cA TRUE",
    remedy: "Have the certificate issued by a real CA; this one may not issue any.",
    affected: "every client",
    in_force: None,
    consequence_of: &["certificate-unreadable", "extension-undecodable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    shared_path::fault(chain, context, CHECK.id, |certificate| {
        certificate.extension_place(id::BASIC_CONSTRAINTS)
    })
}
