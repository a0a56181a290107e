//! A client certificate is of version 3.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "client-version-1",
    severity: Severities::client(Error),
    clause: "RFC 5280 section 4.1.2.1",
    expected: "version 3",
    remedy: "Have it issued again as version 3; only that can say what it is for.",
    affected: "rustls refuses other versions",
    in_force: None,
    consequence_of: &["certificate-unreadable", "extensions-without-v3"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if certificate.version() == Some(3) {
        return Outcome::Pass;
    }
    let place = certificate.place_of(certificate.fields().version, "tbsCertificate.version");
    Outcome::found(certificate, place, "it is of an older version")
}
