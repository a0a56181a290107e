//! Every address of a host serves the same chain.

use super::prelude::*;
use crate::seen::Offer;

pub static CHECK: Check = Check {
    id: "chain-differs-by-address-or-sni",
    severity: Severities::all(Warning),
    clause: "RFC 9110 section 4.3.3",
    expected: "the same certificates from every address",
    remedy: "Put the same certificate file on every machine behind the name, and load it anew on each.",
    affected: "clients that come to the other address: what is right here may be wrong there",
    in_force: None,
    consequence_of: &[],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(host) = &chain.host else { return Outcome::Pass };
    let mut found = Vec::new();
    for offer in [Offer::Tls13, Offer::UpToTls12] {
        let mut all = host.handshakes().filter(|(_, one)| one.offered == offer && !one.chain.is_empty());
        let Some((first, same)) = all.next() else { continue };
        found = all
            .filter(|(_, other)| other.chain != same.chain)
            .map(|(at, other)| {
                let what = match other.chain.first() == same.chain.first() {
                    true => "other intermediates",
                    false => "another certificate",
                };
                Found::of_host(format!("the address {} serves {what} than {}", at.address, first.address))
            })
            .collect();
        // One and the same difference is told once.
        if !found.is_empty() {
            break;
        }
    }
    Outcome::all(found)
}
