//! Where a CA asks for a certificate policy, one holds along the whole path.

use super::prelude::*;
use super::shared_path;

pub static CHECK: Check = Check {
    id: "policy-tree-empty",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 6.1.5 (g)",
    expected: "a certificate policy that every certificate of the path has",
    remedy: "Have the certificate issued with one of the policies that the CAs above it have.",
    affected: "every client",
    in_force: None,
    consequence_of: &["certificate-unreadable", "extension-undecodable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    shared_path::fault(chain, context, CHECK.id, |certificate| {
        certificate.extension_place(id::CERTIFICATE_POLICIES)
    })
}
