//! Whether the trust anchor is itself certified by another CA.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "root-not-self-signed-anchor",
    severity: Severities::all(Notice),
    clause: "RFC 5280 section 6.1.1 (d)",
    expected: "a self-signed root as the trust anchor",
    remedy: "Give clients the self-signed root as well, or have OpenSSL take partial chains (-partial_chain).",
    affected: "OpenSSL and what is built on it without X509_V_FLAG_PARTIAL_CHAIN; others take it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(_: &Chain, context: &Context<'_>) -> Outcome {
    let valid = &context.paths().valid;
    let ends = || valid.iter().filter_map(|path| path.last());
    match ends().next().filter(|_| ends().all(|anchor| !anchor.is_self_issued())) {
        Some(anchor) => {
            let place = anchor.place_of(anchor.fields().issuer, "tbsCertificate.issuer");
            Outcome::found(
                anchor,
                place,
                format!("the trust anchor {} is not self-signed", anchor.shown_name()),
            )
        }
        None => Outcome::Pass,
    }
}
