//! An intermediate for the public web issues for servers alone.
//!
//! Under Chrome's roots this holds for those made known from 2026-06-15 on.

use super::prelude::*;
use crate::dates::CHROME_INTERMEDIATES_SERVER_ONLY;

pub static CHECK: Check = Check {
    id: "eku-intermediate-not-server-only",
    severity: Severities::web(Notice),
    clause: "Chrome Root Policy 1.8 section 1.3.2",
    expected: "serverAuth as the only purpose",
    remedy: "Move to an issuing CA of the same owner that is for servers alone; ask it which one.",
    affected: "Chrome, from the next intermediate on; client certificates under such a CA end",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(INTERMEDIATES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(purposes) = certificate.known.extended_key_usage.read() else { return Outcome::Pass };
    if purposes.is_empty() || purposes.iter().all(|purpose| purpose.oid == oid::SERVER_AUTH) {
        return Outcome::Pass;
    }
    let listed: Vec<String> = purposes.iter().map(ToString::to_string).collect();
    let place = certificate.extension_place(id::EXTENDED_KEY_USAGE);
    let found = Found::new(certificate, place, format!("it lists {}", listed.join(", ")))
        .in_force(CHROME_INTERMEDIATES_SERVER_ONLY);
    match certificate.not_before {
        Some(issued) if issued >= CHROME_INTERMEDIATES_SERVER_ONLY => found.severity(Warning).into(),
        _ => found.into(),
    }
}
