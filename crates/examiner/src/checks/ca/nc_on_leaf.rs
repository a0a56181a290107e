//! Only CA certificates have nameConstraints.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "nc-on-leaf",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.10",
    expected: "no nameConstraints",
    remedy: "Have it issued again without nameConstraints.",
    affected: "strict clients refuse it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match certificate.extension(id::NAME_CONSTRAINTS) {
        Some(extension) if !certificate.is_ca() => {
            Outcome::found(certificate, extension.place.clone(), "it has nameConstraints and is no CA")
        }
        _ => Outcome::Pass,
    }
}
