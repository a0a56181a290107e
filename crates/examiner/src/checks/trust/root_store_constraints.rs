//! The names of the certificate are among those that root stores take from its root.

use super::prelude::*;
use super::shared_roots::{ends, facts, nothing};
use crate::report::shown;
use crate::side::RootFact;

pub static CHECK: Check = Check {
    id: "root-store-constraints",
    severity: Severities::web(Error),
    clause: "practice (root stores limit some roots to names)",
    expected: "names under the domains that the root store takes from this root",
    remedy: "Get the certificate from a CA that the root stores do not limit.",
    affected: "the clients of the root store named: they refuse",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let Some(leaf) = chain.end_entity() else { return Outcome::Pass };
    let ends = ends(context);
    let mut found = Vec::new();
    for root in &ends {
        for fact in facts(chain, root) {
            let RootFact::Permits(domains, who) = fact else { continue };
            let inside = |host: &str| {
                let below = |domain: &String| {
                    host.strip_suffix(domain.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                };
                domains.iter().any(below)
            };
            for name in leaf.known.subject_alt_name.read().into_iter().flatten() {
                let Some(host) = name.dns().map(|host| host.to_ascii_lowercase()) else { continue };
                if !inside(&host) {
                    let who = shown(who);
                    let observed = format!("{who} takes no name {name} from {}", root.shown_name());
                    let expected = format!("names under {}", shown(&domains.join(", ")));
                    found.push(
                        Found::new(leaf, name.place.clone(), observed)
                            .expected(expected)
                            .affected(format!("clients of {who}: they refuse")),
                    );
                }
            }
        }
    }
    // Another root without a limit is another way.
    let limited = |root: &&Examinee| facts(chain, root).any(|fact| matches!(fact, RootFact::Permits(..)));
    if found.is_empty() || !ends.iter().all(limited) {
        return nothing(chain, context, "whether root stores limit the root to names");
    }
    Outcome::Found(found)
}
