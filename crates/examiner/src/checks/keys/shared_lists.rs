//! Keys looked up in the lists of known-bad keys.

use crate::side::{KeyListKind, OLD_AFTER_DAYS};

use super::prelude::*;

/// Looks every key up in the lists of one kind. Without a list nothing can be told; an old list is said to be old.
pub(super) fn find(chain: &Chain, context: &Context<'_>, kind: KeyListKind, what: &str) -> Outcome {
    let lists = || chain.side.key_lists.iter().filter(|list| list.kind == kind);
    let Some(newest) = lists().map(|list| list.made).max() else {
        return Outcome::CannotTell(
            Needs::List,
            format!("whether a key is {what}: no list of them was given"),
        );
    };
    let bad = chain.examined().filter_map(|certificate| {
        let key = certificate.key.as_ref()?;
        let spki = certificate.fields().spki?.element.bytes();
        lists().any(|list| list.holds(spki, key)).then(|| Found::new(certificate, key.place.clone(), what))
    });
    let found: Vec<Found> = bad.collect();
    let age = context.at.seconds().saturating_sub(newest.seconds()) / 86_400;
    if found.is_empty() && age > OLD_AFTER_DAYS {
        let why = format!("whether a key is {what}: it is on no list, but the newest is {age} days old");
        return Outcome::CannotTell(Needs::List, why);
    }
    Outcome::all(found)
}
