//! Every name below a CA with name constraints is one that the CA may certify.

use super::prelude::*;
use super::shared_path;

pub static CHECK: Check = Check {
    id: "nc-violated",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 6.1.3 (b) and (c)",
    expected: "names inside the permitted and outside the excluded subtrees of every CA above",
    remedy: "Have the certificate issued by a CA whose name constraints allow these names, or with other names.",
    affected: "every client",
    in_force: None,
    consequence_of: &["certificate-unreadable", "extension-undecodable", "nc-wildcard-san-spans-exclusion"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    shared_path::fault(chain, context, CHECK.id, |certificate| {
        certificate.extension_place(id::SUBJECT_ALT_NAME)
    })
}
