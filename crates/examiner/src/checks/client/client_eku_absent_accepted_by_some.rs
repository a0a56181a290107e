//! A client certificate says what it is for.

use super::prelude::*;
use super::shared::purposes_place;

pub static CHECK: Check = Check {
    id: "client-eku-absent-accepted-by-some",
    severity: Severities::client(Error),
    clause: "RFC 5280 section 4.2.1.12 allows it to be absent",
    expected: "extKeyUsage with TLS Web Client Authentication (1.3.6.1.5.5.7.3.2)",
    remedy: "Have it issued again with clientAuth: some servers take a certificate without purposes, others do not.",
    affected: "servers that ask for the purpose, this gateway among them",
    in_force: None,
    consequence_of: &["certificate-unreadable", "client-version-1"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if certificate.extension(id::EXTENDED_KEY_USAGE).is_some() {
        return Outcome::Pass;
    }
    Outcome::found(certificate, purposes_place(certificate), "there is no extKeyUsage")
}
