//! A critical extension is one that clients know.

use super::prelude::*;
use super::shared_deviations::STANDARD;

pub static CHECK: Check = Check {
    id: "unknown-critical-extension",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2",
    expected: "no critical extension but those of RFC 5280",
    remedy: "Have the certificate issued again with that extension not critical, or without it.",
    affected: "every client must refuse the certificate",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

/// Standard, and still processed by no client for servers.
const UNREAD: &[&str] = &[id::SCT_LIST, id::QC_STATEMENTS, id::PRIVATE_KEY_USAGE_PERIOD];

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    // Of the poison of a precertificate `precert-served-as-certificate` speaks.
    let unknown = certificate.extensions.iter().filter(|one| {
        one.is_critical() && (!STANDARD.contains(&one.oid.as_str()) || UNREAD.contains(&one.oid.as_str()))
    });
    Outcome::all(unknown.map(|one| {
        Found::new(
            certificate,
            one.place.clone(),
            format!("{} is critical and clients do not know it", one.oid),
        )
    }))
}
