//! A client signs the handshake, so its key usage has digitalSignature.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "client-ku-no-digital-signature",
    severity: Severities::client(Error),
    clause: "RFC 8446 section 4.4.2.3",
    expected: "digitalSignature",
    remedy: "Have it issued again with digitalSignature.",
    affected: "servers that look at key usage; TLS 1.3 asks for it",
    in_force: None,
    consequence_of: &["certificate-unreadable", "client-version-1"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match certificate.known.key_usage.read() {
        Some(usage) if !usage.has(KeyUsageBits::DIGITAL_SIGNATURE) => {
            Outcome::found(certificate, usage.place.clone(), format!("it has {usage}"))
        }
        _ => Outcome::Pass,
    }
}
