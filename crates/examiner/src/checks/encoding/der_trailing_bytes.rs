//! Nothing stands after the end of a value.

use super::prelude::*;
use super::shared_deviations::of_kinds;
use crate::cert::tlv::DeviationKind;

pub static CHECK: Check = Check {
    id: "der-trailing-bytes",
    severity: Severities::all(Error),
    clause: "X.690 section 8.1.1",
    expected: "the end",
    remedy: "Have the certificate issued again by software that writes DER.",
    affected: "every client that reads DER strictly: rustls, Go, Firefox, Chrome",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let mut found = of_kinds(certificate, |kind| kind == DeviationKind::TrailingBytes);
    let root = certificate.tree.root();
    if let Some(fourth) = root.and_then(|root| root.child(3)) {
        let place = Place::new("", fourth.range().start..certificate.der().len());
        found.push(Found::new(certificate, place, "more stands after the signature"));
    }
    Outcome::all(found)
}
