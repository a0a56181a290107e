//! A certificate with a policy of extended validation ends at a root that clients take such certificates from.
//!
//! Which root may use which policy, only a list can tell; none is built in.

use super::prelude::*;
use crate::checks::names::shared::is_extended;
use crate::checks::trust::{facts, lists};
use crate::side::RootFact;

pub static CHECK: Check = Check {
    id: "ev-policy-but-not-ev-root",
    severity: Severities::web(Notice),
    clause: "practice (clients' tables of roots for extended validation)",
    expected: "a root that may issue extended validation under one of the certificate's policies",
    remedy: "Nothing breaks: the certificate counts as an ordinary one. Ask the CA if you paid for more.",
    affected: "whoever looks for the name of the organisation",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let Some(leaf) = chain.end_entity().filter(|leaf| is_extended(leaf)) else { return Outcome::Pass };
    if !lists(chain).any(|list| list.facts().any(|fact| matches!(fact, RootFact::Extended(_)))) {
        let why = "whether the root may issue extended validation: no list of that was given";
        return Outcome::CannotTell(Needs::List, why.into());
    }
    let policies = leaf.known.policies.read().map_or(&[][..], Vec::as_slice);
    let fits = |root: &Examinee| {
        facts(chain, root).any(|fact| match fact {
            RootFact::Extended(policy) => policies.iter().any(|one| one.oid == *policy),
            _ => false,
        })
    };
    let valid = &context.paths().valid;
    if valid.is_empty() || valid.iter().filter_map(|path| path.last()).any(|root| fits(root)) {
        return Outcome::Pass;
    }
    let place = leaf.extension_place(id::CERTIFICATE_POLICIES);
    Outcome::found(leaf, place, "its policy says extended validation, and its root may not issue that")
}
