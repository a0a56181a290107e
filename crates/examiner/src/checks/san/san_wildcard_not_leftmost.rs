//! A wildcard is the first label and no other.

use super::prelude::*;
use super::shared::{found, hosts};

pub static CHECK: Check = Check {
    id: "san-wildcard-not-leftmost",
    severity: Severities::all(Error),
    clause: "RFC 9525 section 6.3, BR section 1.6.1",
    expected: "a wildcard as the first label alone",
    remedy: "Have it issued again with a wildcard in front, or with the names themselves.",
    affected: "no client matches such a name",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let wrong = hosts(certificate)
        .filter(|(_, bytes)| bytes.split(|octet| *octet == b'.').skip(1).any(|label| label.contains(&b'*')));
    Outcome::all(
        wrong.map(|(name, _)| {
            found(certificate, name, format!("in {name} a star stands behind the first label"))
        }),
    )
}
