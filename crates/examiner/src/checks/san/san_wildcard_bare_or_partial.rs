//! A wildcard is a whole label with a name behind it.

use super::prelude::*;
use super::shared::{found, hosts};

pub static CHECK: Check = Check {
    id: "san-wildcard-bare-or-partial",
    severity: Severities::all(Error),
    clause: "RFC 9525 section 6.3",
    expected: "*. followed by a name",
    remedy: "Have it issued again with a whole label as the wildcard.",
    affected: "browsers, Go and rustls match no such name",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let wrong = hosts(certificate).filter(|(_, bytes)| {
        let first = bytes.split(|octet| *octet == b'.').next().unwrap_or(&[]);
        first.contains(&b'*') && (first != b"*" || bytes.len() < 3)
    });
    Outcome::all(wrong.map(|(name, _)| {
        found(certificate, name, format!("the star of {name} is no whole label in front of a name"))
    }))
}
