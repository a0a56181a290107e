//! A dNSName is ASCII without a null character.

use super::prelude::*;
use super::shared::{found, hosts};

pub static CHECK: Check = Check {
    id: "san-dns-not-ia5-or-null",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.6",
    expected: "ASCII; other letters as an A-label",
    remedy: "Have it issued again with the A-label (xn--) of the name.",
    affected: "clients read such names in different ways, which has been used to deceive them",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    Outcome::all(hosts(certificate).filter_map(|(name, bytes)| {
        let observed = if bytes.contains(&0) {
            "a null character in"
        } else if !bytes.is_ascii() {
            "letters outside ASCII in"
        } else {
            return None;
        };
        Some(found(certificate, name, format!("{observed} {name}")))
    }))
}
