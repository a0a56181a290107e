//! basicConstraints of a CA certificate is critical.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "bc-not-critical-on-ca",
    severity: Severities::all(Error).mtls_client(Some(Warning)).private_server(Some(Warning)),
    clause: "RFC 5280 section 4.2.1.9",
    expected: "basicConstraints marked critical",
    remedy: "Issue the CA certificate again with the extension put right.",
    affected: "strict clients; old ones that ignore what is not critical",
    in_force: None,
    consequence_of: &["certificate-unreadable", "client-ca-bit-set"],
    run: Run::Certificate(ISSUERS, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match certificate.extension(id::BASIC_CONSTRAINTS) {
        Some(extension) if !extension.is_critical() => {
            Outcome::found(certificate, extension.place.clone(), "basicConstraints is not critical")
        }
        _ => Outcome::Pass,
    }
}
