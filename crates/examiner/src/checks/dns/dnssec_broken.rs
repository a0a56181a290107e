//! Where a host's zone is signed, its signatures verify.
//!
//! The resolver judges: it refuses an answer that it gives once it is asked not to verify.

use super::prelude::*;
use super::shared::dns;
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "dnssec-broken",
    severity: Severities::all(Warning),
    clause: "RFC 4035 section 5, BR section 3.2.2.8.1",
    expected: "DNSSEC signatures that verify, or none",
    remedy: "Sign the zone anew, or take its DS record out of the zone above.",
    affected: "all whose resolver verifies: they do not reach the host; CAs must not issue for it",
    in_force: None,
    consequence_of: &[],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(dns) = dns(chain) else { return Outcome::Pass };
    match dns.bogus.as_slice() {
        [] => Outcome::Pass,
        names => Found::of_host(format!(
            "the resolver finds the signatures broken of {}",
            shown(&names.join(", "))
        ))
        .into(),
    }
}
