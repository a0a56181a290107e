//! Every address of a host's name answers.

use super::prelude::*;
use crate::seen::Address;

pub static CHECK: Check = Check {
    id: "address-does-not-answer",
    severity: Severities::all(Warning),
    clause: "RFC 8305 section 1",
    expected: "the same answer from every address of the name",
    remedy: "Start the server at this address, let it through the firewall, or take the address out of the DNS.",
    affected: "clients that try this address first: they wait or fail",
    in_force: None,
    consequence_of: &[],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(host) = &chain.host else { return Outcome::Pass };
    // Of one that offers no TLS, another check tells.
    let is_silent = |one: &Address| {
        !one.offers_no_tls && one.handshakes.iter().all(|handshake| handshake.chain.is_empty())
    };
    if host.addresses.iter().all(is_silent) {
        return Outcome::Pass;
    }
    Outcome::all(host.addresses.iter().filter(|one| is_silent(one)).map(|one| {
        let why = match (&one.fault, one.handshakes.first()) {
            (Some(fault), _) => fault.clone(),
            (None, Some(first)) => first.end.to_string(),
            (None, None) => "nothing was seen".into(),
        };
        Found::of_host(format!("the address {} does not answer: {why}", one.address))
    }))
}
