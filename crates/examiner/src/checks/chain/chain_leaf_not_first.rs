//! The first certificate is the server's own.

use super::prelude::*;
use super::shared;

pub static CHECK: Check = Check {
    id: "chain-leaf-not-first",
    severity: Severities::all(Error),
    clause: "RFC 8446 section 4.4.2",
    expected: "the server's own certificate first",
    remedy: "Put the server's own certificate at the top of its certificate file.",
    affected: "every client",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let Some(first) = chain.end_entity().filter(|_| shared::is_chain(chain)) else { return Outcome::Pass };
    match chain.leaf_elsewhere() {
        Some(leaf) => {
            let observed = format!(
                "first is the CA {}; the server's own is the one at {}",
                first.shown_name(),
                leaf.index
            );
            Outcome::found(first, first.place(), observed)
        }
        None => Outcome::Pass,
    }
}
