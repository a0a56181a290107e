//! keyUsage is marked critical.
//!
//! Otherwise software that does not know the extension may use the key for anything.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "ku-not-critical",
    severity: Severities::all(Warning).mtls_client(Some(Notice)),
    clause: "RFC 5280 section 4.2.1.3, BR section 7.1.2",
    expected: "keyUsage marked critical",
    remedy: "Have the certificate issued again with keyUsage marked critical.",
    affected: "old software that ignores what is not critical",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(extension) = certificate.extension(id::KEY_USAGE).filter(|extension| !extension.is_critical())
    else {
        return Outcome::Pass;
    };
    Outcome::found(certificate, extension.place.clone(), "keyUsage is not critical")
}
