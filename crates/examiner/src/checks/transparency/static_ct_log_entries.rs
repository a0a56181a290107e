//! One of the timestamps that count is of a log of RFC 6962: not all clients take static-ct-api logs alone.

use super::prelude::*;
use super::shared::{place, seen};
use crate::dates::CHROME_STATIC_LOGS_ALONE;

pub static CHECK: Check = Check {
    id: "static-ct-log-entries",
    severity: Severities::web(Warning),
    clause: "Apple Certificate Transparency policy",
    expected: "at least one timestamp of a log of RFC 6962",
    remedy: "Ask the CA for a certificate with a timestamp of a log of RFC 6962 too.",
    affected: "Safari and other clients on Apple's systems; Chrome before 2026-04-15",
    in_force: None,
    consequence_of: &["certificate-unreadable", "sct-too-few-for-lifetime", "sct-log-unknown-or-retired"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let (_, all) = match seen(certificate, context, "whether a timestamp is of a log of RFC 6962") {
        Ok(known) => known,
        Err(answer) => return answer,
    };
    let counted: Vec<_> = all.iter().filter(|one| one.counts()).filter_map(|one| one.log).collect();
    if counted.is_empty() || counted.iter().any(|log| !log.is_tiled) {
        return Outcome::Pass;
    }
    let found =
        Found::new(certificate, place(certificate), "all of the timestamps are of static-ct-api logs")
            .likely();
    if context.at < CHROME_STATIC_LOGS_ALONE { found.severity(Error).into() } else { found.into() }
}
