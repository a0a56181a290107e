//! The first certificate is the server's own.

use super::prelude::*;
use super::shared;
use crate::matching::names_peer;

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

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let Some(first) = chain.end_entity().filter(|_| shared::is_chain(chain)) else { return Outcome::Pass };
    let is_issuer = first.is_ca() && !context.host.is_some_and(|host| names_peer(first, host));
    let mut others = chain.served.iter().skip(1);
    match others.find(|one| is_issuer && !one.is_ca() && !one.is_self_issued() && shared::is_leaf(one)) {
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
