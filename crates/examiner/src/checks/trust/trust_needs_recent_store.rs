//! The root has been in the clients' stores for some time.
//!
//! When which client took in which root, only a list can tell; none is built in.

use super::prelude::*;
use super::shared_roots::{ends, facts, lists};
use crate::report::shown;
use crate::side::RootFact;

pub static CHECK: Check = Check {
    id: "trust-needs-recent-store",
    severity: Severities::web(Warning),
    clause: "practice (clients that are not updated keep their old root store)",
    expected: "a path to a root that has been in all root stores for two years",
    remedy: "Serve the cross-signed intermediate that leads to an older root of the same CA.",
    affected: "clients older than those named",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

const RECENT_DAYS: i64 = 730;

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let tells = lists(chain).any(|list| list.facts().any(|fact| matches!(fact, RootFact::Added(..))));
    if !tells {
        let why = "since when clients have the root: no list of that was given";
        return Outcome::CannotTell(Needs::List, why.into());
    }
    let ends = ends(context);
    let since = context.at.seconds() - RECENT_DAYS * 86_400;
    let lately = |root: &Examinee| {
        facts(chain, root).find_map(|fact| match fact {
            RootFact::Added(day, who) if day.seconds() > since => Some((*day, who.clone())),
            _ => None,
        })
    };
    let all: Option<Vec<_>> = ends.iter().map(|root| lately(root)).collect();
    match (ends.first(), all.and_then(|all| all.into_iter().next())) {
        (Some(root), Some((day, who))) => {
            let who = shown(&who);
            let observed =
                format!("{} came into root stores on {}, with {who}", root.shown_name(), day.date());
            Found::new(root, root.place(), observed).affected(format!("clients older than {who}")).into()
        }
        _ => Outcome::Pass,
    }
}
