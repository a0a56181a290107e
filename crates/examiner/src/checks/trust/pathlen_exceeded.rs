//! No more intermediates stand below a CA than its path length allows.

use super::prelude::*;
use super::shared_path;

pub static CHECK: Check = Check {
    id: "pathlen-exceeded",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 6.1.4 (l)",
    expected: "no more intermediates than the path length of each CA allows",
    remedy: "Have the certificate issued by the CA with the path length itself, or that CA certified anew with a longer one.",
    affected: "every client",
    in_force: None,
    consequence_of: &["certificate-unreadable", "extension-undecodable", "pathlen-negative"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    shared_path::fault(chain, context, CHECK.id, |certificate| {
        certificate.extension_place(id::BASIC_CONSTRAINTS)
    })
}
