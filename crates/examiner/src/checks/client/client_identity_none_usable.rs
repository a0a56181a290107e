//! A client certificate says who the client is.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "client-identity-none-usable",
    severity: Severities::client(Warning),
    clause: "practice: rules are written on names",
    expected: "a subject, or a URI, host name, mailbox or user principal name",
    remedy: "Have it issued again with a name, or register it by its thumbprint.",
    affected: "rules on names",
    in_force: None,
    consequence_of: &["certificate-unreadable", "client-version-1"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let named = certificate.subject.as_ref().is_some_and(|subject| !subject.is_empty());
    let listed = certificate.known.subject_alt_name.read().is_some_and(|names| !names.is_empty());
    if named || listed {
        return Outcome::Pass;
    }
    Outcome::found(
        certificate,
        certificate.place_of(certificate.fields().subject, "tbsCertificate.subject"),
        "it names nobody",
    )
}
