//! What lists say of the roots that a chain ends at.

use super::prelude::*;
use crate::side::{OLD_AFTER_DAYS, RootFact, RootList};

/// All lists: what is built in, and what was given.
pub(in crate::checks) fn lists(chain: &Chain) -> impl Iterator<Item = &RootList> {
    std::iter::once(RootList::shipped()).chain(&chain.side.root_lists)
}

/// What the lists say of a certificate.
pub(in crate::checks) fn facts<'a>(
    chain: &'a Chain,
    certificate: &'a Examinee,
) -> impl Iterator<Item = &'a RootFact> {
    lists(chain).flat_map(move |list| list.of(&certificate.thumbprint))
}

/// The anchors at the ends of the paths that hold, each once.
pub(super) fn ends<'a>(context: &'a Context<'_>) -> Vec<&'a Examinee> {
    let mut ends: Vec<&Examinee> = Vec::new();
    for end in context.paths().valid.iter().filter_map(|path| path.last()) {
        if !ends.iter().any(|other| other.thumbprint == end.thumbprint) {
            ends.push(end);
        }
    }
    ends
}

/// Whether the newest list is too old to say that a root is on none.
pub(in crate::checks) fn too_old(chain: &Chain, context: &Context<'_>) -> Option<i64> {
    let newest = lists(chain).map(|list| list.made).max()?;
    let age = context.at.seconds().saturating_sub(newest.seconds()) / 86_400;
    (age > OLD_AFTER_DAYS).then_some(age)
}

/// Nothing was found: all is well, unless the lists are old.
pub(in crate::checks) fn nothing(chain: &Chain, context: &Context<'_>, what: &str) -> Outcome {
    match too_old(chain, context) {
        Some(age) => {
            Outcome::CannotTell(Needs::List, format!("{what}: the newest list of roots is {age} days old"))
        }
        None => Outcome::Pass,
    }
}
