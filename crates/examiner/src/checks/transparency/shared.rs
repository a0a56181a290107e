//! The timestamps of a certificate, each with the log that made it.

use super::prelude::*;
use crate::chain::SignedTimestamp;
use crate::dates::{TimestampRule, timestamps_needed};
use crate::side::{Delivered, LOGS_OLD_AFTER_DAYS, Log, LogList};

/// A timestamp and the log that made it, where the list knows it.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub stamp: SignedTimestamp,
    pub log: Option<&'a Log>,
}

impl Seen<'_> {
    /// Whether clients count it.
    pub fn counts(&self) -> bool {
        self.log.is_some_and(|log| log.counts(self.stamp.made()))
    }
}

/// The timestamps in a certificate, and those that the server sends beside its own; empty where there is no list of them,
/// or one that is none: that is told by another check.
pub(super) fn stamps(certificate: &Examinee, context: &Context<'_>) -> Vec<SignedTimestamp> {
    let mut all = SignedTimestamp::embedded(certificate).and_then(Result::ok).unwrap_or_default();
    if let (0, Delivered::Sent(sent)) = (certificate.index, &context.chain.side.timestamps) {
        all.extend(sent.iter().cloned());
    }
    all
}

/// The timestamps of a certificate with their logs. `Err` with the answer where there are none, or no list of logs.
pub(super) fn seen<'a>(
    certificate: &Examinee,
    context: &'a Context<'_>,
    what: &str,
) -> Result<(&'a LogList, Vec<Seen<'a>>), Outcome> {
    let stamps = stamps(certificate, context);
    if stamps.is_empty() {
        return Err(Outcome::Pass);
    }
    let Some(list) = context.chain.side.logs.as_ref() else {
        return Err(Outcome::CannotTell(
            Needs::List,
            format!("{what}: no list of the logs was given (--ct-logs)"),
        ));
    };
    let with_log = |stamp: SignedTimestamp| Seen { log: list.log(&stamp.log), stamp };
    Ok((list, stamps.into_iter().map(with_log).collect()))
}

/// How old the list is, in days, where that is too old to say that a log is unknown.
pub(super) fn too_old(list: &LogList, context: &Context<'_>) -> Option<i64> {
    let age = context.at.seconds().saturating_sub(list.made.seconds()) / 86_400;
    (age > LOGS_OLD_AFTER_DAYS).then_some(age)
}

/// How many different logs made these.
pub(super) fn logs<'a>(stamps: impl Iterator<Item = &'a SignedTimestamp>) -> usize {
    let mut all: Vec<&[u8; 32]> = stamps.map(|stamp| &stamp.log).collect();
    all.sort_unstable();
    all.dedup();
    all.len()
}

/// How many timestamps clients ask for, of how many days, by the rule of the day.
pub(super) fn needed(certificate: &Examinee) -> Option<(usize, i64, &'static TimestampRule)> {
    let (first, last) = (certificate.not_before?, certificate.not_after?);
    let days = (last.seconds() - first.seconds() + 1 + 86_399).div_euclid(86_400);
    timestamps_needed(first, days).map(|(needed, rule)| (needed, days, rule))
}

/// Where the list of timestamps stands.
pub(super) fn place(certificate: &Examinee) -> Place {
    certificate.extension_place(id::SCT_LIST)
}
