//! A dNSName neither begins with a dot nor is a blank.

use super::prelude::*;
use super::shared::{found, hosts};

pub static CHECK: Check = Check {
    id: "san-dns-leading-dot-or-space",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.6",
    expected: "a host name",
    remedy: "Have it issued again with the whole host name.",
    affected: "clients refuse it, or take it for more names than are meant",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let wrong = hosts(certificate).filter(|(_, bytes)| {
        bytes.first() == Some(&b'.') || (!bytes.is_empty() && bytes.iter().all(u8::is_ascii_whitespace))
    });
    Outcome::all(wrong.map(|(name, _)| {
        found(certificate, name, format!("\u{201c}{name}\u{201d} is listed as a host name"))
    }))
}
