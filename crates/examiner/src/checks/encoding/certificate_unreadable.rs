//! What is given as a certificate has the fields of one.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "certificate-unreadable",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.1",
    expected: "a Certificate: tbsCertificate, signatureAlgorithm, signatureValue",
    remedy: "Get the file again from whoever issued it; it is damaged or no certificate.",
    affected: "every client and server",
    in_force: None,
    consequence_of: &[],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if certificate.tree.root().is_none() {
        return Outcome::found(certificate, certificate.place(), "these bytes begin no value");
    }
    match certificate.fields().missing() {
        Some(field) => {
            let observed = format!("it has no {field} where that belongs");
            Outcome::found(certificate, certificate.place(), observed)
        }
        None => Outcome::Pass,
    }
}
