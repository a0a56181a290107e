//! The ways to a trust anchor can be tried with a reasonable effort.

use super::prelude::*;
use super::shared_path;

pub static CHECK: Check = Check {
    id: "path-loop-or-explosion",
    severity: Severities::all(Error),
    clause: "RFC 4158 section 2.4.2; CVE-2024-0567",
    expected: "a chain with few ways to a trust anchor",
    remedy: "Serve only the certificates of one path, each once, and issue no CAs in circles.",
    affected: "every client",
    in_force: None,
    consequence_of: &["certificate-unreadable", "extension-undecodable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    shared_path::fault(chain, context, CHECK.id, |certificate| certificate.place())
}
