//! A host name in the common name lies within the constraints too.
//!
//! Clients differ: some apply constraints to the alternative names alone, others also to a common name that looks like a host.

use super::prelude::*;
use super::shared_names::{above, against, looks_like_host};

pub static CHECK: Check = Check {
    id: "nc-violated-by-common-name",
    severity: Severities::all(Warning),
    clause: "client dependent; RFC 9618, RFC 5280 section 4.2.1.10",
    expected: "a common name within the issuer's constraints, or none",
    remedy: "Have it issued again without the common name.",
    affected: "OpenSSL and older clients, which apply the constraints to the common name",
    in_force: None,
    consequence_of: &["certificate-unreadable", "nc-violated", "nc-bad-form"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let Some(end_entity) = chain.end_entity() else { return Outcome::Pass };
    let listed: Vec<String> = end_entity
        .known
        .subject_alt_name
        .read()
        .into_iter()
        .flatten()
        .filter_map(|name| name.dns())
        .collect();
    let subject = end_entity.subject.iter().flat_map(|subject| subject.of_type("2.5.4.3"));
    Outcome::all(subject.filter_map(|attribute| {
        let name =
            attribute.text().map(|text| text.to_ascii_lowercase()).filter(|text| looks_like_host(text))?;
        if listed.iter().any(|one| one.eq_ignore_ascii_case(&name)) {
            return None;
        }
        let (issuer, why) = above(chain, end_entity).into_iter().find_map(|issuer| {
            let why = against(issuer.known.name_constraints.read()?, &name)?;
            Some((issuer, why))
        })?;
        let observed = format!(
            "the common name {} is {why} by certificate {}",
            crate::report::shown(&name),
            issuer.index
        );
        Some(Found::new(end_entity, attribute.place.clone(), observed))
    }))
}
