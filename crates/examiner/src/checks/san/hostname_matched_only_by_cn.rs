//! A host is matched by an alternative name, never by the common name.

use super::prelude::*;
use crate::matching::{dns_matches, names_peer};

pub static CHECK: Check = Check {
    id: "hostname-matched-only-by-cn",
    severity: Severities::all(Error),
    clause: "RFC 9525 section 6.3",
    expected: "a subject alternative name for the host",
    remedy: "Have it issued again with the host as a subject alternative name.",
    affected: "browsers, Go, rustls and Java refuse; a few old programs still take it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let (Some(certificate), Some(PeerName::Dns(host))) = (chain.end_entity(), context.host) else {
        return Outcome::Pass;
    };
    if names_peer(certificate, &PeerName::Dns(host.clone())) {
        return Outcome::Pass;
    }
    let subject = certificate.subject.iter();
    let mut common = subject.flat_map(|subject| subject.of_type("2.5.4.3"));
    match common.find(|one| one.text().is_some_and(|text| dns_matches(text.as_bytes(), host))) {
        Some(one) => {
            Outcome::found(certificate, one.place.clone(), format!("only the common name is {host}"))
        }
        None => Outcome::Pass,
    }
}
