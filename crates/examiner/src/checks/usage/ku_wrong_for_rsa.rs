//! The usages of an RSA key are those that RSA can do.
//!
//! An RSA key signs and encrypts keys; it agrees on none.

use super::prelude::*;
use crate::chain::Key;
use crate::dates::BR_PROFILES;

pub static CHECK: Check = Check {
    id: "ku-wrong-for-rsa",
    severity: Severities::all(Error).mtls_client(Some(Warning)).private_server(Some(Warning)),
    clause: "RFC 3279 section 2.3.1, BR section 7.1.2.7.11",
    expected: "digitalSignature, and keyEncipherment where TLS 1.2 without forward secrecy is wanted",
    remedy: "Have the certificate issued again with the right key usage.",
    affected: "strict clients",
    in_force: None,
    consequence_of: &["certificate-unreadable", "ku-empty-or-bad-encoding"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let Some(usage) = certificate.known.key_usage.read() else { return Outcome::Pass };
    if certificate.key.as_ref().is_none_or(|key| key.algorithm.oid != Key::RSA) {
        return Outcome::Pass;
    }
    let mut wrong =
        vec![KeyUsageBits::KEY_AGREEMENT, KeyUsageBits::ENCIPHER_ONLY, KeyUsageBits::DECIPHER_ONLY];
    let by_profile = certificate.not_before.is_none_or(|issued| issued >= BR_PROFILES);
    if context.profile == Profile::Web && by_profile && !certificate.is_issuer() {
        wrong.push(KeyUsageBits::CONTENT_COMMITMENT);
    }
    if wrong.into_iter().any(|bit| usage.has(bit)) {
        return Outcome::found(
            certificate,
            usage.place.clone(),
            format!("an RSA key with the usages {usage}"),
        );
    }
    Outcome::Pass
}
