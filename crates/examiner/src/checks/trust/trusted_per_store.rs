//! The chain ends at a trust anchor in each root store that was asked for.

use super::prelude::*;
use super::shared_roots::ends;
use crate::chain::Store;
use crate::report::shown;
use crate::side::{OLD_AFTER_DAYS, RootFact};

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
    let vendors = vendors(chain);
    if chain.stores.is_empty() && vendors.is_empty() && context.profile == Profile::Web {
        return Outcome::CannotTell(
            Needs::List,
            format!("{WHAT}: no store of theirs was given (--roots, --root-list)"),
        );
    }
    let of_stores = chain.stores.iter().map(|store| (shown(&store.name), is_trusted(chain, context, store)));
    let of_lists = vendors.iter().map(|(name, _)| (shown(name), is_listed(chain, context, name)));
    let (with, without): (Vec<_>, Vec<_>) = of_stores.chain(of_lists).partition(|(_, trusts)| *trusts);
    if without.is_empty() {
        return Outcome::Pass;
    }
    let age = |made: UnixTime| context.at.seconds().saturating_sub(made.seconds()) / 86_400;
    let oldest = vendors.iter().map(|(_, made)| age(*made)).max().filter(|age| *age > OLD_AFTER_DAYS);
    if let Some(age) = oldest.filter(|_| chain.stores.is_empty()) {
        return Outcome::CannotTell(Needs::List, format!("{WHAT}: the list of roots is {age} days old"));
    }
    let names = |stores: &[(String, bool)]| {
        let names: Vec<&str> = stores.iter().map(|(name, _)| name.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    Found::new(first, first.place(), format!("no path in {}; trusted in {}", names(&without), names(&with)))
        .affected(format!("clients with the root store of {}", names(&without)))
        .into()
}

const WHAT: &str = "whether the root stores of Apple, Microsoft, Java, Android and Chrome trust it";

/// The root stores that the given lists tell of, each with the day of its newest list.
fn vendors(chain: &Chain) -> Vec<(String, UnixTime)> {
    let mut all: Vec<(String, UnixTime)> = Vec::new();
    for list in &chain.side.root_lists {
        for fact in list.facts() {
            let RootFact::In(name) = fact else { continue };
            match all.iter_mut().find(|(other, _)| other == name) {
                Some((_, made)) => *made = list.made.max(*made),
                None => all.push((name.clone(), list.made)),
            }
        }
    }
    all.sort();
    all
}

/// Whether a path ends at a root that a given list has in this store.
fn is_listed(chain: &Chain, context: &Context<'_>, store: &str) -> bool {
    let holds = |root: &Examinee| {
        let facts = chain.side.root_lists.iter().flat_map(|list| list.of(&root.thumbprint));
        facts.into_iter().any(|fact| matches!(fact, RootFact::In(name) if name == store))
    };
    ends(context).into_iter().any(holds)
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
