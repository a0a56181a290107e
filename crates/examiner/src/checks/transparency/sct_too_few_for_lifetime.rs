//! A certificate has timestamps of as many logs as its lifetime asks for.

use super::prelude::*;
use super::shared::{logs, needed, place, stamps};
use crate::side::Delivered;

pub static CHECK: Check = Check {
    id: "sct-too-few-for-lifetime",
    severity: Severities::web(Error),
    clause: "Chrome and Apple Certificate Transparency policies",
    expected: "timestamps of two logs, of three where it lives longer than 180 days",
    remedy: "Ask the CA for a certificate with timestamps of more logs.",
    affected: "Chrome, Edge and Safari refuse it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let stamps = stamps(certificate, context);
    let Some((needed, days, rule)) = needed(certificate).filter(|_| !stamps.is_empty()) else {
        return Outcome::Pass;
    };
    let there = logs(stamps.iter());
    if there >= needed {
        return Outcome::Pass;
    }
    let there_is = match (there, stamps.len()) {
        (1, 1) => "there is one timestamp".to_owned(),
        (1, all) => format!("there are {all} timestamps, all of one log"),
        (there, _) => format!("there are timestamps of {there} logs"),
    };
    let observed = format!("{there_is}, and a lifetime of {days} days asks for {needed}");
    let found = Found::new(certificate, place(certificate), observed)
        .expected(format!("timestamps of {needed} different logs"))
        .clause(rule.clause)
        .in_force(rule.from);
    // The server may send more in the handshake, though hardly any does.
    if context.chain.side.timestamps == Delivered::Unknown { found.likely().into() } else { found.into() }
}
