//! A public server certificate need not give its key an identifier.

use super::prelude::*;
use crate::dates::BR_PROFILES;

pub static CHECK: Check = Check {
    id: "ski-on-leaf",
    severity: Severities::web(Notice),
    clause: "BR section 7.1.2.7.6",
    expected: "no subjectKeyIdentifier",
    remedy: "Nothing to do; a CA that leaves it out saves every handshake some octets.",
    affected: "nobody",
    in_force: Some(BR_PROFILES),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match certificate.known.subject_key_id.read() {
        Some(own) => Outcome::found(certificate, own.place.clone(), "it has subjectKeyIdentifier"),
        None => Outcome::Pass,
    }
}
