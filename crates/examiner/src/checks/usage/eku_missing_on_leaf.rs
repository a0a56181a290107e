//! A public server certificate lists its key purposes.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "eku-missing-on-leaf",
    severity: Severities::web(Error),
    clause: "BR section 7.1.2.7.10",
    expected: "extKeyUsage with serverAuth",
    remedy: "Have it issued again with extKeyUsage that lists serverAuth.",
    affected: "root programmes; without it the key counts for every purpose",
    in_force: None,
    consequence_of: &["certificate-unreadable", "extensions-without-v3", "version-not-3"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if certificate.known.extended_key_usage.is_absent() {
        let place = certificate.extension_place(id::EXTENDED_KEY_USAGE);
        return Outcome::found(certificate, place, "it has no extKeyUsage");
    }
    Outcome::Pass
}
