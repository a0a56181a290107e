//! A client that sends no server name gets the same certificate as one that does.
//!
//! Where it is refused instead, nothing is said: a host may serve none but clients that send a name.

use super::prelude::*;
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "sni-vs-no-sni-certificate",
    severity: Severities::all(Notice),
    clause: "RFC 6066 section 3",
    expected: "the same certificate with and without a server name",
    remedy: "Where old clients or monitors must get in: make this site the default one of the server.",
    affected: "clients that send no server name: old ones, and many monitors and scripts",
    in_force: None,
    consequence_of: &[],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(host) = &chain.host else { return Outcome::Pass };
    Outcome::all(host.addresses.iter().filter_map(|address| {
        let nameless = address.nameless.as_ref()?;
        let first = nameless.chain.first()?;
        let named = address.handshakes.iter().find_map(|one| one.chain.first())?;
        (first != named).then(|| {
            let subject = shown(&nameless.subject);
            Found::of_host(format!(
                "{} serves {subject} to clients that send no server name",
                address.address
            ))
        })
    }))
}
