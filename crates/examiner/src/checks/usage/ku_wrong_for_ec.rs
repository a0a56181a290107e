//! The usages of an elliptic-curve key are those that such a key can do.
//!
//! It signs and agrees on keys; it encrypts none. Ed25519 keys only sign.

use super::prelude::*;
use crate::chain::Key;

pub static CHECK: Check = Check {
    id: "ku-wrong-for-ec",
    severity: Severities::all(Error).mtls_client(Some(Warning)).private_server(Some(Warning)),
    clause: "RFC 8813 section 3, RFC 8410 section 5, BR section 7.1.2.7.11",
    expected: "digitalSignature",
    remedy: "Have the certificate issued again with the right key usage.",
    affected: "strict clients; Go and OpenSSL in strict mode",
    in_force: None,
    consequence_of: &["certificate-unreadable", "ku-empty-or-bad-encoding"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let Some(usage) = certificate.known.key_usage.read() else { return Outcome::Pass };
    let Some(key) = &certificate.key else { return Outcome::Pass };
    let mut wrong = vec![KeyUsageBits::KEY_ENCIPHERMENT, KeyUsageBits::DATA_ENCIPHERMENT];
    match key.algorithm.oid.as_str() {
        Key::EC => {}
        "1.3.101.112" | "1.3.101.113" => wrong.push(KeyUsageBits::KEY_AGREEMENT),
        _ => return Outcome::Pass,
    }
    let leaf_of_web = context.profile == Profile::Web && !certificate.is_issuer();
    if leaf_of_web {
        wrong.push(KeyUsageBits::CONTENT_COMMITMENT);
    }
    let observed = format!("an elliptic-curve key with the usages {usage}");
    if wrong.into_iter().any(|bit| usage.has(bit)) {
        return Outcome::found(certificate, usage.place.clone(), observed);
    }
    if leaf_of_web && usage.has(KeyUsageBits::KEY_AGREEMENT) {
        return Found::new(certificate, usage.place.clone(), observed).severity(Notice).into();
    }
    Outcome::Pass
}
