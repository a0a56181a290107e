//! Who signs a revocation list may do so by its key usage.

use super::prelude::*;
use super::shared_evidence::lists;

pub static CHECK: Check = Check {
    id: "crl-issuer-no-crlsign",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.3, section 6.3.3",
    expected: "keyUsage with cRLSign",
    remedy: "Issue the CA certificate again with cRLSign.",
    affected: "OpenSSL and Go do not take the list; others do",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    Outcome::all(lists(chain).into_iter().filter_map(|(_, issuer)| {
        let usage = issuer.known.key_usage.read().filter(|usage| !usage.has(KeyUsageBits::CRL_SIGN))?;
        Some(Found::new(
            issuer,
            usage.place.clone(),
            format!("it signs a revocation list with the key usage {usage}"),
        ))
    }))
}
