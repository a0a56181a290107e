//! What is used is the certificate itself, not the precertificate that was made for the logs.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "precert-served-as-certificate",
    severity: Severities::all(Error),
    clause: "RFC 6962 section 3.1",
    expected: "the certificate that the CA issued after it, without this extension",
    remedy: "Ask the CA for the certificate itself, or download it again; it has the same serial number.",
    affected: "every client must refuse it: the extension is critical, and nobody may know it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match certificate.extension(id::PRECERT_POISON) {
        Some(poison) => {
            let observed = match certificate.extension(id::SCT_LIST) {
                Some(_) => {
                    "it is a precertificate, made for the logs alone, and has timestamps of logs already"
                }
                None => "it is a precertificate, made for the logs alone",
            };
            Outcome::found(certificate, poison.place.clone(), observed)
        }
        None => Outcome::Pass,
    }
}
