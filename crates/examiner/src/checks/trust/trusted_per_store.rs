//! The chain ends at a trust anchor in each root store that was asked for.

use super::prelude::*;
use crate::chain::Store;
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "trusted-per-store",
    severity: Severities::all(Warning),
    clause: "practice (the root stores of Mozilla, Microsoft, Apple, Java, Android, Chrome)",
    expected: "a path in every root store",
    remedy: "Get a certificate from a CA that all of these root stores have, or serve a cross-signed intermediate of it.",
    affected: "the clients that use the root stores without it",
    in_force: None,
    consequence_of: &["certificate-unreadable", "untrusted-root", "chain-incomplete", "self-signed-leaf"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let Some(first) = chain.end_entity() else { return Outcome::Pass };
    let (with, without): (Vec<&Store>, Vec<&Store>) =
        chain.stores.iter().partition(|store| is_trusted(chain, context, store));
    if without.is_empty() {
        return Outcome::Pass;
    }
    let names = |stores: &[&Store]| {
        let names: Vec<String> = stores.iter().map(|store| shown(&store.name)).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    Found::new(first, first.place(), format!("no path in {}; trusted in {}", names(&without), names(&with)))
        .affected(format!("clients with the root store of {}", names(&without)))
        .into()
}

/// Whether a path leads to an anchor of the store.
fn is_trusted(chain: &Chain, context: &Context<'_>, store: &Store) -> bool {
    let at_hand = || chain.served.iter().chain(&chain.beside);
    let concerns = |anchor: &&Examinee| {
        at_hand().any(|one| one.issuer_der() == anchor.subject_der() || one.der() == anchor.der())
    };
    let anchors = store.anchors.iter().filter(concerns).cloned().collect();
    let under = Chain { stores: Vec::new(), ..chain.clone() }.with_anchors(anchors);
    !Context::new(&under, context.profile, context.at, None).paths().valid.is_empty()
}
