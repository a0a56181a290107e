//! The timestamps that count are of logs of two operators at least.

use super::prelude::*;
use super::shared::{logs, needed, place, seen};
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "sct-operators-not-diverse",
    severity: Severities::web(Error),
    clause: "Chrome, Apple and Mozilla Certificate Transparency policies",
    expected: "timestamps of logs of at least two operators",
    remedy: "Ask the CA for a certificate with timestamps of different operators' logs.",
    affected: "Chrome, Edge, Safari and Firefox refuse it",
    in_force: None,
    consequence_of: &["certificate-unreadable", "sct-too-few-for-lifetime"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let (_, all) = match seen(certificate, context, "whether the timestamps are of different operators' logs")
    {
        Ok(known) => known,
        Err(answer) => return answer,
    };
    let counted = || all.iter().filter(|one| one.counts());
    // Where too few count, that is the cause; another check tells it.
    let Some((needed, ..)) = needed(certificate) else { return Outcome::Pass };
    if logs(counted().map(|one| &one.stamp)) < needed {
        return Outcome::Pass;
    }
    let mut operators: Vec<&str> =
        counted().filter_map(|one| Some(one.log?.operator(one.stamp.made()))).collect();
    operators.sort_unstable();
    operators.dedup();
    match operators.as_slice() {
        [one] => Outcome::found(
            certificate,
            place(certificate),
            format!("all of their logs are operated by {}", shown(one)),
        ),
        _ => Outcome::Pass,
    }
}
