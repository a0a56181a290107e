//! A server's keyUsage, where there is one, allows to sign.
//!
//! In TLS 1.3, and in TLS 1.2 with forward secrecy, the server signs the handshake.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "ku-no-digital-signature-for-tls13",
    severity: Severities::web(Error).private_server(Some(Error)),
    clause: "RFC 8446 section 4.4.2.2",
    expected: "keyUsage with digitalSignature",
    remedy: "Have the certificate issued again with digitalSignature in its key usage.",
    affected: "clients with TLS 1.3, and all that refuse key exchange without forward secrecy",
    in_force: None,
    consequence_of: &["certificate-unreadable", "ku-empty-or-bad-encoding"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(usage) = certificate.known.key_usage.read() else { return Outcome::Pass };
    if usage.has(KeyUsageBits::DIGITAL_SIGNATURE) {
        return Outcome::Pass;
    }
    Outcome::found(
        certificate,
        usage.place.clone(),
        format!("its key usage is {usage}, without digitalSignature"),
    )
}
