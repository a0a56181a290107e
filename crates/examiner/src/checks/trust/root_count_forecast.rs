//! Chrome goes on taking the root when it takes two of each CA owner alone.
//!
//! Whose root is whose, only a list can tell; none is built in.

use super::prelude::*;
use super::shared_roots::{ends, facts, lists, too_old};
use crate::dates::CHROME_TWO_ROOTS;
use crate::report::shown;
use crate::side::RootFact;

pub static CHECK: Check = Check {
    id: "root-count-forecast",
    severity: Severities::web(Notice),
    clause: "Chrome Root Policy 1.8",
    expected: "a root of an owner that has at most two in Chrome",
    remedy: "Ask the CA which two roots it keeps, and move to an issuing CA below one of them at a renewal before that day.",
    affected: "Chrome and what goes by its root store, from that day on",
    in_force: None,
    consequence_of: &["certificate-unreadable", "root-distrust-scheduled", "root-key-age-limit"],
    run: Run::Chain(run),
};

/// How many self-signed roots of one owner Chrome takes from that day on.
const MOST: usize = 2;

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let what = "whether Chrome keeps the root when it takes two of each owner";
    let ends = ends(context);
    if ends.is_empty() || !is_of_chrome(chain, &ends) {
        return Outcome::Pass;
    }
    if !lists(chain).any(|list| list.facts().any(|fact| matches!(fact, RootFact::Owner(_)))) {
        return Outcome::CannotTell(
            Needs::List,
            format!("{what}: no list of the owners was given (--root-list)"),
        );
    }
    if let Some(age) = too_old(chain, context) {
        return Outcome::CannotTell(
            Needs::List,
            format!("{what}: the newest list of roots is {age} days old"),
        );
    }
    // As long as one path ends at a root that stays, nothing has to be done.
    let crowded: Option<Vec<_>> = ends.iter().map(|root| crowded(chain, root)).collect();
    let Some((owner, count)) = crowded.and_then(|all| all.into_iter().next()) else { return Outcome::Pass };
    let root = ends[0];
    let observed = format!(
        "{} has {count} roots in Chrome, which takes {MOST} of each owner from {} on; {} may not be one of them",
        shown(&owner),
        CHROME_TWO_ROOTS.date(),
        root.shown_name()
    );
    Found::new(root, root.place(), observed).in_force(CHROME_TWO_ROOTS).likely().into()
}

fn is_of_chrome(chain: &Chain, ends: &[&Examinee]) -> bool {
    // Of a private root nobody asks.
    ends.iter().any(|root| facts(chain, root).any(|fact| matches!(fact, RootFact::In(_))))
}

/// The owner of a root and how many roots of it are in Chrome, where that is too many.
fn crowded(chain: &Chain, root: &Examinee) -> Option<(String, usize)> {
    let owner = facts(chain, root).find_map(|fact| match fact {
        RootFact::Owner(owner) => Some(owner.clone()),
        _ => None,
    })?;
    let is_owners = |facts: &[RootFact]| facts.contains(&RootFact::Owner(owner.clone()));
    let is_in_chrome = |facts: &[RootFact]| facts.contains(&RootFact::In("Chrome".into()));
    let of_list = |list: &crate::side::RootList| {
        list.roots().filter(|(_, facts)| is_owners(facts) && is_in_chrome(facts)).count()
    };
    let count = lists(chain).map(of_list).max().unwrap_or_default();
    (count > MOST).then_some((owner, count))
}
