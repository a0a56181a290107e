//! A host speaks TLS 1.3.

use super::prelude::*;
use crate::seen::{End, Handshake, Offer, Version};

pub static CHECK: Check = Check {
    id: "no-tls13",
    severity: Severities::all(Warning),
    clause: "RFC 8446; RFC 9325 section 3.1.1",
    expected: "TLS 1.3 beside TLS 1.2",
    remedy: "Turn TLS 1.3 on in the server, or update its TLS library.",
    affected: "clients that speak TLS 1.3 alone; client certificates are sent in clear under TLS 1.2",
    in_force: None,
    consequence_of: &["tls-version-old-only"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(host) = &chain.host else { return Outcome::Pass };
    // Silence says nothing about a version.
    let is_told = |one: &Handshake| !matches!(one.end, End::Slow);
    let mut tried = host.handshakes().filter(|(_, one)| one.offered == Offer::Tls13 && is_told(one));
    match host.newest() {
        Some(Version::Tls12) if tried.next().is_some() => {
            Found::of_host("the host speaks TLS 1.2 and no TLS 1.3").into()
        }
        _ => Outcome::Pass,
    }
}
