//! Extensions stand in certificates of version 3 alone.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "extensions-without-v3",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.1.2.9",
    expected: "version 3, since there are extensions",
    remedy: "Have the certificate issued again as version 3.",
    affected: "every client",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if certificate.extensions.is_empty() || certificate.version() == Some(3) {
        return Outcome::Pass;
    }
    let place = certificate.place_of(certificate.fields().version, "tbsCertificate.version");
    Outcome::found(certificate, place, "it has extensions and is not of version 3")
}
