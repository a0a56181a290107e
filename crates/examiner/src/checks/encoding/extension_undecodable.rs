//! A known extension can be decoded.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "extension-undecodable",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2",
    expected: "contents of the form that the extension's definition asks for",
    remedy: "Have the certificate issued again with a well-formed extension.",
    affected: "every client that reads the extension",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    Outcome::all(certificate.known.undecodable().into_iter().map(|wrong| {
        Found::new(certificate, wrong.place.clone(), format!("it cannot be decoded: {}", wrong.why))
    }))
}
