//! No root programme ends its trust in the root for certificates made from some day on.

use super::prelude::*;
use super::shared_roots::{ends, facts, nothing};
use crate::report::shown;
use crate::side::RootFact;

pub static CHECK: Check = Check {
    id: "root-distrust-scheduled",
    severity: Severities::web(Warning),
    clause: "Chrome Root Program, Mozilla Root Store Policy (distrust by date)",
    expected: "a root that all root programmes trust for what it issues now",
    remedy: "Get the next certificate from another CA, before this one has to be renewed.",
    affected: "the clients of the root programmes named",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let ends = ends(context);
    let Some(leaf) = chain.end_entity().filter(|_| !ends.is_empty()) else { return Outcome::Pass };
    // A client that trusts one of the roots takes the path to that one.
    let each: Vec<_> = ends.iter().map(|end| distrust(chain, end)).collect();
    let Some((day, who)) = each.first().copied().flatten().filter(|_| each.iter().all(Option::is_some))
    else {
        return nothing(chain, context, "whether trust in the root ends");
    };
    let root = ends[0];
    let (name, who) = (root.shown_name(), shown(who));
    let found = |observed| Found::new(root, root.place(), observed).affected(format!("clients of {who}"));
    // The day itself still counts.
    if leaf.not_before.is_some_and(|made| made.seconds() < day.seconds() + 86_400) {
        let observed =
            format!("{who} trusts {name} only for certificates made until {}: not for the next", day.date());
        return found(observed).severity(Notice).into();
    }
    found(format!("{who} does not trust what {name} issued after {}", day.date())).into()
}

fn distrust<'a>(chain: &'a Chain, root: &'a Examinee) -> Option<(UnixTime, &'a str)> {
    let all = facts(chain, root).filter_map(|fact| match fact {
        RootFact::DistrustAfter(day, who) => Some((*day, who.as_str())),
        _ => None,
    });
    all.min_by_key(|(day, _)| *day)
}
