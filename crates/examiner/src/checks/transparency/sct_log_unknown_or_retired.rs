//! Each timestamp is of a log that clients know, and that was not retired when it made it.

use super::prelude::*;
use super::shared::{Seen, logs, needed, seen, too_old};
use crate::report::shown;
use crate::side::LogState;

pub static CHECK: Check = Check {
    id: "sct-log-unknown-or-retired",
    severity: Severities::web(Error),
    clause: "Chrome and Apple Certificate Transparency policies",
    expected: "timestamps of logs that the list names, and that are in use",
    remedy: "Ask the CA for a certificate with timestamps of logs that clients know.",
    affected: "Chrome, Edge and Safari, which do not count it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let (list, all) = match seen(certificate, context, "whether the timestamps are of known logs") {
        Ok(known) => known,
        Err(answer) => return answer,
    };
    let needed = needed(certificate).map_or(0, |(needed, ..)| needed);
    let counted = logs(all.iter().filter(|one| one.counts()).map(|one| &one.stamp));
    // Where there are too few of them at all, that is the cause.
    let is_enough = counted >= needed || logs(all.iter().map(|one| &one.stamp)) < needed;
    let severity = if is_enough { Notice } else { Error };
    let old = too_old(list, context);
    let uncounted = || all.iter().filter(|one| !one.counts());
    if let Some(age) = old.filter(|_| uncounted().any(|one| one.log.is_none())) {
        let why = format!("whether the timestamps are of known logs: the list of the logs is {age} days old");
        return Outcome::CannotTell(Needs::List, why);
    }
    let found: Vec<Found> = uncounted()
        .map(|one| Found::new(certificate, one.stamp.place.clone(), words(one)).severity(severity))
        .collect();
    if found.is_empty() && !all.iter().filter_map(|one| one.log).any(|log| log.is_current()) {
        let observed = "all of its logs are retired by now";
        return Outcome::found(certificate, certificate.extension_place(id::SCT_LIST), observed);
    }
    Outcome::all(found)
}

fn words(one: &Seen<'_>) -> String {
    let made = one.stamp.made().date();
    let Some(log) = one.log else {
        return format!("the list names no log {}", data_encoding::BASE64.encode(&one.stamp.log));
    };
    let name = shown(&log.name);
    match log.state {
        LogState::Retired(since) => {
            format!("{name} was retired on {}, and this timestamp is of {made}", since.date())
        }
        LogState::Rejected => format!("{name} is rejected"),
        _ => format!("{name} is not taken yet"),
    }
}
