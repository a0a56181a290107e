//! Integers are as short as they can be, and the numbers of a key are positive.

use super::prelude::*;
use super::shared_deviations::of_kinds;
use crate::cert::tlv::{Budget, DeviationKind, Element, read, tag};
use crate::chain::Key;

pub static CHECK: Check = Check {
    id: "der-negative-or-padded-integer",
    severity: Severities::all(Error),
    clause: "X.690 section 8.3",
    expected: "a positive number in the fewest octets",
    remedy: "Have the certificate issued again by software that writes DER.",
    affected: "every client that reads DER strictly: rustls, Go, Firefox, Chrome",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let padded = |kind| matches!(kind, DeviationKind::PaddedInteger | DeviationKind::EmptyInteger);
    let mut found = of_kinds(certificate, padded);
    if let Some(key) = certificate.key.as_ref().filter(|key| key.algorithm.oid == Key::RSA) {
        let tree = read(key.bits.clone().into(), Budget::default());
        let place = || key.place.clone();
        found.extend(
            tree.deviations
                .iter()
                .filter(|one| padded(one.kind))
                .map(|one| Found::new(certificate, place(), format!("in the key, {}", one.kind.words()))),
        );
        let negative =
            |e: &Element<'_>| e.is(tag::INTEGER) && e.content().first().is_some_and(|o| o & 0x80 != 0);
        found.extend(
            tree.elements()
                .filter(negative)
                .map(|_| Found::new(certificate, place(), "a number of the key is negative")),
        );
    }
    Outcome::all(found)
}
