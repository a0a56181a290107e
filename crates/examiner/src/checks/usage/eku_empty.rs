//! extKeyUsage lists at least one purpose.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "eku-empty",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.12",
    expected: "at least one purpose",
    remedy: "Have it issued again with the purposes that it is for.",
    affected: "every client: it allows nothing, or cannot be read",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(purposes) = certificate.known.extended_key_usage.read() else { return Outcome::Pass };
    if purposes.is_empty() {
        return Outcome::found(
            certificate,
            certificate.extension_place(id::EXTENDED_KEY_USAGE),
            "it lists no purpose",
        );
    }
    Outcome::Pass
}
