//! Lengths are definite and as short as they can be.

use super::prelude::*;
use crate::cert::tlv::DeviationKind;

pub static CHECK: Check = Check {
    id: "der-indefinite-or-long-length",
    severity: Severities::all(Error),
    clause: "X.690 section 10.1",
    expected: "a definite length in the fewest octets",
    remedy: "Have the certificate issued again by software that writes DER.",
    affected: "clients with a strict parser: rustls, Go, Firefox, Chrome",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let length = |kind| matches!(kind, DeviationKind::IndefiniteLength | DeviationKind::LongFormLength);
    let outer = certificate.tree.deviations.iter().map(|deviation| (Place::new("", 0..0), deviation));
    let inner = certificate.extensions.iter().flat_map(|extension| {
        let place = extension.value.clone().unwrap_or_else(|| extension.place.clone());
        extension.tree.iter().flat_map(|tree| &tree.deviations).map(move |d| (place.clone(), d))
    });
    Outcome::all(outer.chain(inner).filter(|(_, deviation)| length(deviation.kind)).map(
        |(place, deviation)| {
            let place = Place::new(place.path, deviation.range.clone());
            Found::new(certificate, place, deviation.kind.words())
        },
    ))
}
