//! Where a server chooses the key exchange by RSA, its certificate lets the key encrypt keys.

use super::prelude::*;
use crate::seen::Offer;

pub static CHECK: Check = Check {
    id: "ku-no-key-encipherment-for-rsa-kx",
    severity: Severities::all(Error),
    clause: "RFC 5246 section 7.4.2",
    expected: "keyEncipherment among the key usages, or a key exchange with forward secrecy",
    remedy: "Turn cipher suites with ECDHE on, which need digitalSignature alone, and those with RSA key exchange off (RFC 9325 section 4.1).",
    affected: "every client up to TLS 1.2 that looks at the key usage",
    in_force: None,
    consequence_of: &["certificate-unreadable", "ku-empty-or-bad-encoding"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let (Some(host), Some(first)) = (&chain.host, chain.end_entity()) else { return Outcome::Pass };
    let Some(usage) = first.known.key_usage.read() else { return Outcome::Pass };
    let suites = host.handshakes().filter(|(_, one)| one.offered == Offer::UpToTls12);
    let mut exchanged = suites
        .filter_map(|(_, one)| one.cipher_suite.as_deref())
        .filter(|name| name.starts_with("TLS_RSA_WITH_"));
    match exchanged.next() {
        Some(suite) if !usage.has(KeyUsageBits::KEY_ENCIPHERMENT) => Outcome::found(
            first,
            usage.place.clone(),
            format!("the host chose {suite}, and the certificate's key usages are {usage}"),
        ),
        _ => Outcome::Pass,
    }
}
