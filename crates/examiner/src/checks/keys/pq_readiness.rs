//! A key that stands against quantum computers is understood only by the newest peers.

use super::prelude::*;
use super::shared_algorithms::is_ml_dsa;

pub static CHECK: Check = Check {
    id: "pq-readiness",
    severity: Severities::all(Notice),
    clause: "RFC 9881",
    expected: "a second certificate with P-256 for the peers that do not know ML-DSA",
    remedy: "Keep a certificate with P-256 beside this one for peers without ML-DSA.",
    affected: "peers whose TLS library is older than 2025",
    in_force: None,
    consequence_of: &["certificate-unreadable", "dsa-or-other-key"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(key) = &certificate.key else { return Outcome::Pass };
    if is_ml_dsa(&key.algorithm.oid) {
        return Outcome::found(certificate, key.algorithm.place.clone(), "an ML-DSA key");
    }
    Outcome::Pass
}
