//! A public root does not list purposes: root programmes say what it is trusted for.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "eku-on-root",
    severity: Severities::web(Error),
    clause: "BR section 7.1.2.1.2",
    expected: "no extKeyUsage",
    remedy: "Leave it out of the next root.",
    affected: "clients that apply a root's purposes to all below it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(ROOTS, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if certificate.known.extended_key_usage.is_absent() {
        return Outcome::Pass;
    }
    Outcome::found(certificate, certificate.extension_place(id::EXTENDED_KEY_USAGE), "it has extKeyUsage")
}
