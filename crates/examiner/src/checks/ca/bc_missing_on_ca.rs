//! A CA certificate has basicConstraints.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "bc-missing-on-ca",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.9",
    expected: "basicConstraints with cA true, critical",
    remedy: "Issue the CA certificate again with basicConstraints, critical, cA true.",
    affected: "every client: none takes it as an issuer",
    in_force: None,
    consequence_of: &["certificate-unreadable", "extensions-without-v3", "version-not-3"],
    run: Run::Certificate(ISSUERS, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if certificate.known.basic_constraints.is_absent() {
        let place = certificate.extension_place(id::BASIC_CONSTRAINTS);
        return Outcome::found(certificate, place, "it has no basicConstraints");
    }
    Outcome::Pass
}
