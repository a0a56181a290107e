//! Root programmes remove a public root when its key is 15 years old.
//!
//! The key's day is not in the certificate: its begin stands for it, as in Mozilla's policy for old keys.

use super::prelude::*;
use super::shared_roots::{ends, facts, nothing};
use crate::dates::root_ends;
use crate::side::RootFact;

pub static CHECK: Check = Check {
    id: "root-key-age-limit",
    severity: Severities::web(Notice),
    clause: "Mozilla Root Store Policy section 7.4, Chrome Root Policy 1.8 section 1.3.1.2",
    expected: "a root that stays in the root stores longer than the next certificate lives",
    remedy: "Ask the CA which chain it will serve then, and change to it at a renewal before that day.",
    affected: "browsers, from that day on; other clients keep the root longer",
    in_force: None,
    consequence_of: &["certificate-unreadable", "root-distrust-scheduled"],
    run: Run::Chain(run),
};

/// How far ahead a removal is told, in days: this certificate's life and the next one's.
const AHEAD_DAYS: i64 = 400;

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let ends = ends(context);
    let is_public = |root: &Examinee| facts(chain, root).any(|fact| matches!(fact, RootFact::In(_)));
    let removed = |root: &Examinee| {
        let on = root.not_before.filter(|_| is_public(root)).map(root_ends)?;
        (on.seconds() <= context.at.seconds() + AHEAD_DAYS * 86_400).then_some(on)
    };
    // As long as one path ends at a root that stays, nothing has to be done.
    let all: Option<Vec<UnixTime>> = ends.iter().map(|root| removed(root)).collect();
    match (ends.first(), all.and_then(|all| all.into_iter().max())) {
        (Some(root), Some(on)) => {
            let place = root.place_of(root.fields().not_before, "tbsCertificate.validity.notBefore");
            let observed = format!(
                "the key of {} is of {} at the latest: root stores remove it on {}",
                root.shown_name(),
                root.not_before.map(UnixTime::date).unwrap_or_default(),
                on.date()
            );
            Found::new(root, place, observed).in_force(on).likely().into()
        }
        _ => nothing(chain, context, "whether root stores remove the root for the age of its key"),
    }
}
