//! No extension stands twice.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "duplicate-extension",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2",
    expected: "each type of extension once",
    remedy: "Have the certificate issued again with each extension once.",
    affected: "every client: they refuse it, or each reads another one",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let repeated = certificate.extensions.iter().enumerate().filter(|(i, one)| {
        !one.oid.is_empty() && certificate.extensions[..*i].iter().any(|earlier| earlier.oid == one.oid)
    });
    Outcome::all(repeated.map(|(_, one)| {
        Found::new(certificate, one.place.clone(), format!("{} stands a second time", one.oid))
    }))
}
