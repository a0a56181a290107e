//! A host has one certificate, or on purpose one for each kind of key; each of them is examined.

use super::prelude::*;
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "chain-differs-rsa-ecdsa",
    severity: Severities::all(Notice),
    clause: "RFC 8446 section 4.4.2.2",
    expected: "that this is wanted, and that both are renewed",
    remedy: "See its own report beside this one; renew both together, or take the one away that nobody needs.",
    affected: "clients that take that kind of key alone, such as old ones that know no elliptic curves",
    in_force: None,
    consequence_of: &["chain-differs-by-address-or-sni"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(host) = &chain.host else { return Outcome::Pass };
    // Addresses with the same second certificate have one finding.
    let Some(other) = host.addresses.iter().find_map(|one| one.other_key.as_ref()) else {
        return Outcome::Pass;
    };
    Found::of_host(format!(
        "clients that take {} alone get another certificate: {}, until {}",
        other.kind,
        shown(&other.subject),
        other.not_after
    ))
    .into()
}
