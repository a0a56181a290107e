//! A self-signed client certificate can be trusted by its thumbprint or key alone.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "client-self-signed-pinned",
    severity: Severities::client(Notice),
    clause: "practice",
    expected: "a certificate from a CA, or a pin",
    remedy: "Register it by its thumbprint or key; nothing else vouches for it.",
    affected: "whoever admits it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if !certificate.is_self_issued() {
        return Outcome::Pass;
    }
    Outcome::found(
        certificate,
        certificate.place_of(certificate.fields().issuer, "tbsCertificate.issuer"),
        "it names itself as its issuer",
    )
}
