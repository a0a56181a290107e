//! A timestamp lies in the past, and not behind the certificate's end.

use super::prelude::*;
use super::shared::stamps;

pub static CHECK: Check = Check {
    id: "sct-timestamp-future-or-after-expiry",
    severity: Severities::web(Error),
    clause: "RFC 6962 sections 3.2 and 5.2",
    expected: "a moment before now and before the certificate's end",
    remedy: "Have the certificate issued again; the clock of the log, or your own, is wrong.",
    affected: "Chrome, Edge, Safari and Firefox, which do not count it",
    in_force: None,
    consequence_of: &["certificate-unreadable", "not-yet-valid", "validity-not-positive"],
    run: Run::Certificate(LEAVES, run),
};

/// How long before its making a certificate may begin: 48 hours.
const BACKDATED_SECONDS: i64 = 48 * 3600;

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    // Until then the certificate may have been made, whatever it says of its begin (BR section 7.1.2.7): what is looked
    // at as of its first hours is no certificate of the future.
    let begun = certificate.not_before.map_or(context.at, |first| first.plus(BACKDATED_SECONDS));
    let wrong = |made: UnixTime| match certificate.not_after {
        Some(last) if made > last => Some(format!("it was made {made}, and the certificate ends {last}")),
        _ if made > context.at.max(begun) => Some(format!("it was made {made}, which is later than now")),
        _ => None,
    };
    Outcome::all(stamps(certificate, context).into_iter().filter_map(|stamp| {
        let observed = wrong(stamp.made())?;
        Some(Found::new(certificate, stamp.place, observed))
    }))
}
