//! An address serves the same certificate in each handshake.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "certificate-changes-between-connects",
    severity: Severities::all(Notice),
    clause: "RFC 8446 section 4.4.2.2",
    expected: "the same certificate each time, or on purpose one for each kind of key",
    remedy: "Where that is not wanted: put the same certificate on every machine behind the address.",
    affected: "clients get one or the other by chance, or by what they offer",
    in_force: None,
    consequence_of: &["chain-differs-by-address-or-sni"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(host) = &chain.host else { return Outcome::Pass };
    Outcome::all(host.addresses.iter().filter_map(|address| {
        let mut all = address.handshakes.iter().filter(|one| !one.chain.is_empty());
        let first = all.next()?;
        let other = all.find(|one| one.chain.first() != first.chain.first())?;
        let (one, two) = (first.version?, other.version?);
        Some(Found::of_host(format!(
            "{} serves one certificate under {one} and another under {two}",
            address.address
        )))
    }))
}
