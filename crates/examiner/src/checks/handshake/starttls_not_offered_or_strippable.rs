//! Where another protocol is spoken before TLS, every address offers TLS, and says nothing in clear behind its go-ahead.
//!
//! Words in clear that come behind the go-ahead may be somebody else's; a client that takes them for the server's acts on
//! them as if they had been protected.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "starttls-not-offered-or-strippable",
    severity: Severities::all(Warning),
    clause: "RFC 3207 sections 4.2 and 6, RFC 7817 section 3",
    expected: "TLS offered at every address, and nothing in clear behind the go-ahead",
    remedy: "Turn STARTTLS on at this address; update the server, or what stands before it, where words follow its go-ahead.",
    affected: "clients that go on in clear where TLS is not offered, or take such words for the server's",
    in_force: None,
    consequence_of: &[],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(host) = &chain.host else { return Outcome::Pass };
    let Some(protocol) = &host.starttls else { return Outcome::Pass };
    Outcome::all(host.addresses.iter().filter_map(|one| {
        let early = one.early.as_ref().map(|early| format!("says in clear behind its go-ahead: {early}"));
        let refused = one.offers_no_tls.then(|| format!("speaks {protocol} and does not offer TLS"));
        Some(Found::of_host(format!("the address {} {}", one.address, early.or(refused)?)))
    }))
}
