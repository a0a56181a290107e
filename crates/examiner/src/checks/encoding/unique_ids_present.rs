//! issuerUniqueID and subjectUniqueID are not used.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "unique-ids-present",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.1.2.8, BR section 7.1.2.7",
    expected: "neither field",
    remedy: "Have the certificate issued again without unique identifiers.",
    affected: "strict clients and every linter",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let fields = certificate.fields();
    let all = [fields.issuer_unique_id, fields.subject_unique_id];
    Outcome::all(
        all.into_iter()
            .flatten()
            .map(|field| Found::new(certificate, field.place, "it has a unique identifier")),
    )
}
