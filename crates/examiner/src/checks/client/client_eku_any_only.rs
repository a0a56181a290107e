//! A client certificate names clientAuth, not any purpose.

use super::prelude::*;
use super::shared::purposes_place;

pub static CHECK: Check = Check {
    id: "client-eku-any-only",
    severity: Severities::client(Warning),
    clause: "RFC 5280 section 4.2.1.12",
    expected: "TLS Web Client Authentication (1.3.6.1.5.5.7.3.2) by name",
    remedy: "Have it issued again with clientAuth by name.",
    affected: "servers differ: OpenSSL takes it, rustls and others do not",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let any =
        certificate.has_purpose(oid::ANY_EXTENDED_KEY_USAGE) && !certificate.has_purpose(oid::CLIENT_AUTH);
    if !any {
        return Outcome::Pass;
    }
    Outcome::found(certificate, purposes_place(certificate), "it lists any purpose, and not clientAuth")
}
