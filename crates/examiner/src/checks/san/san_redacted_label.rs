//! No label is a question mark: redacted names matched nothing.

use super::prelude::*;
use super::shared::{found, hosts};

pub static CHECK: Check = Check {
    id: "san-redacted-label",
    severity: Severities::all(Notice),
    clause: "drafts of RFC 6962-bis, given up",
    expected: "the name itself",
    remedy: "Have it issued again with the whole name.",
    affected: "no client matches such a name",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let redacted = hosts(certificate).filter(|(_, bytes)| bytes.starts_with(b"?."));
    Outcome::all(redacted.map(|(name, _)| found(certificate, name, format!("it lists {name}"))))
}
