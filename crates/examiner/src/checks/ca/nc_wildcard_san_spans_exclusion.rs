//! A wildcard name does not cover a host that an issuer excludes.
//!
//! Clients that compare the wildcard as text let the excluded host in (CVE-2025-61727).

use super::prelude::*;
use super::shared_names::above;

pub static CHECK: Check = Check {
    id: "nc-wildcard-san-spans-exclusion",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.10, CVE-2025-61727",
    expected: "no wildcard that covers an excluded host",
    remedy: "List the hosts by name instead of the wildcard.",
    affected: "strict clients refuse it; others take it for the excluded host",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let Some(end_entity) = chain.end_entity() else { return Outcome::Pass };
    let issuers = above(chain, end_entity);
    let excluded: Vec<String> = issuers
        .iter()
        .filter_map(|issuer| issuer.known.name_constraints.read()?.excluded.as_ref())
        .flatten()
        .filter_map(|subtree| Some(subtree.base.dns()?.trim_start_matches('.').to_ascii_lowercase()))
        .collect();
    let names = end_entity.known.subject_alt_name.read().into_iter().flatten();
    Outcome::all(names.filter_map(|name| {
        let host = name.dns()?.to_ascii_lowercase();
        let parent = host.strip_prefix("*.")?;
        // One label stands for the star, so the excluded host is a child of the parent.
        let child = |one: &&String| {
            one.strip_suffix(parent)
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|label| !label.contains('.'))
        };
        let spanned = excluded.iter().find(child)?;
        let observed = format!("{name} covers {}, which an issuer excludes", crate::report::shown(spanned));
        Some(Found::new(end_entity, name.place.clone(), observed))
    }))
}
