//! The list of timestamps has entries, each of version 1 and whole.

use super::prelude::*;
use crate::chain::SignedTimestamp;

pub static CHECK: Check = Check {
    id: "sct-list-empty-or-malformed",
    severity: Severities::all(Error).private_server(Some(Warning)).mtls_client(Some(Warning)),
    clause: "RFC 6962 section 3.3",
    expected: "a list of at least one whole timestamp",
    remedy: "Have the certificate issued again with the timestamps as the logs gave them.",
    affected: "Chrome, Edge, Safari and Firefox, which find no timestamp in it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match SignedTimestamp::embedded(certificate) {
        Some(Err(wrong)) => Outcome::found(certificate, wrong.place, wrong.why),
        _ => Outcome::Pass,
    }
}
