//! A trust anchor for clients is no root of the public web.

use super::prelude::*;
use crate::checks::trust::{facts, nothing};
use crate::report::shown;
use crate::side::RootFact;

pub static CHECK: Check = Check {
    id: "client-anchor-too-broad",
    severity: Severities::client(Error),
    clause: "practice (who trusts a CA trusts everyone whom it certifies)",
    expected: "the CA of the parties alone",
    remedy: "Trust a private CA that issues to your parties alone, or admit single certificates by their thumbprint.",
    affected: "the service behind: anyone can buy a certificate under this root",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let Some(anchors) = &chain.anchors else { return Outcome::Pass };
    let found: Vec<Found> = anchors
        .iter()
        .filter_map(|anchor| {
            let store = facts(chain, anchor).find_map(|fact| match fact {
                RootFact::In(store) => Some(store),
                _ => None,
            })?;
            let name = anchor.shown_name();
            let observed = format!("{name} is a public root, in the store of {}", shown(store));
            Some(Found::new(anchor, anchor.place(), observed))
        })
        // One is enough to make the point.
        .take(1)
        .collect();
    if found.is_empty() {
        return nothing(chain, context, "whether an anchor for clients is a public root");
    }
    Outcome::Found(found)
}
