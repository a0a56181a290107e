//! Every value is written as DER asks.

use super::prelude::*;
use super::shared_deviations::of_kinds;
use crate::cert::tlv::DeviationKind;

pub static CHECK: Check = Check {
    id: "der-not-strict",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.1, X.690 section 11",
    expected: "DER",
    remedy: "Have the certificate issued again by software that writes DER.",
    affected: "every client that reads DER strictly: rustls, Go, Firefox, Chrome",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    // Each kind that has a check of its own is left to that.
    Outcome::all(of_kinds(certificate, |kind| {
        !matches!(
            kind,
            DeviationKind::IndefiniteLength
                | DeviationKind::LongFormLength
                | DeviationKind::TrailingBytes
                | DeviationKind::PaddedInteger
                | DeviationKind::EmptyInteger
                | DeviationKind::BitStringPadding
        )
    }))
}
