//! Who types the name with or without www finds the site.

use super::prelude::*;
use crate::matching::names_peer;

pub static CHECK: Check = Check {
    id: "apex-or-www-not-covered",
    severity: Severities::web(Notice),
    clause: "practice",
    expected: "both the name and the name with www",
    remedy: "List both names in the next certificate, where both lead to the site.",
    affected: "visitors who type the other name",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let (Some(certificate), Some(PeerName::Dns(host))) = (chain.end_entity(), context.host) else {
        return Outcome::Pass;
    };
    let apex = host.strip_prefix("www.").unwrap_or(host);
    let registered = context
        .suffixes()
        .public_suffix(apex)
        .is_some_and(|suffix| apex.split('.').count() == suffix.labels + 1);
    let other = if host == apex { format!("www.{host}") } else { apex.to_owned() };
    let covered = |name: &str| names_peer(certificate, &PeerName::Dns(name.to_owned()));
    if !registered || !covered(host) || covered(&other) {
        return Outcome::Pass;
    }
    let place = certificate.extension_place(id::SUBJECT_ALT_NAME);
    Outcome::found(certificate, place, format!("it is for {host} and not for {other}"))
}
