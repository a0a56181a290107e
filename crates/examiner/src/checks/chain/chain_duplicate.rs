//! Each certificate is served once.

use super::prelude::*;
use super::shared;

pub static CHECK: Check = Check {
    id: "chain-duplicate",
    severity: Severities::all(Warning),
    clause: "RFC 8446 section 4.4.2",
    expected: "each certificate once",
    remedy: "Take the second copy out of the certificate file.",
    affected: "clients with a small limit on the size or the length of the chain",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    Outcome::all(shared::duplicates(chain).into_iter().map(|(copy, first)| {
        let observed = format!("{} is the same certificate as the one at {}", copy.shown_name(), first.index);
        Found::new(copy, copy.place(), observed)
    }))
}
