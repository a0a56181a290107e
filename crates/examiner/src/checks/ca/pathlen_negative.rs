//! The number of CAs that may follow is not negative.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "pathlen-negative",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.9",
    expected: "0 or more",
    remedy: "Issue the CA certificate again with the extension put right.",
    affected: "every client: the constraint cannot be met",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let length =
        certificate.known.basic_constraints.read().and_then(|constraints| constraints.path_length.as_ref());
    match length {
        Some(length) if length.value.is_none() => Outcome::found(
            certificate,
            length.place.clone(),
            "pathLenConstraint is negative or far too large",
        ),
        _ => Outcome::Pass,
    }
}
