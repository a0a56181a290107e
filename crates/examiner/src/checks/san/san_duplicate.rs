//! No name is listed twice.

use super::prelude::*;
use super::shared::{found, own_hosts};
use std::collections::HashSet;

pub static CHECK: Check = Check {
    id: "san-duplicate",
    severity: Severities::all(Notice),
    clause: "practice",
    expected: "each name once",
    remedy: "List each name once next time.",
    affected: "nobody; it wastes bytes in each handshake",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let mut seen = HashSet::new();
    let repeated = own_hosts(certificate).filter(|(_, host)| !seen.insert(host.clone()));
    Outcome::all(repeated.map(|(name, _)| found(certificate, name, format!("{name} is listed again"))))
}
