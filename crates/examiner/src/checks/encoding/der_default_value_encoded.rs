//! What equals its default is left out.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "der-default-value-encoded",
    severity: Severities::all(Error),
    clause: "X.690 section 11.5",
    expected: "nothing, since this value is the default",
    remedy: "Have the certificate issued again by software that writes DER.",
    affected: "every client that reads DER strictly: rustls, Go, Firefox, Chrome",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let critical =
        certificate.extensions.iter().filter(|one| one.critical_written == Some(false)).map(|one| {
            Found::new(certificate, one.place.clone(), "critical is written although it says false")
        });
    let constraints = certificate
        .known
        .basic_constraints
        .read()
        .filter(|one| one.default_written)
        .map(|one| Found::new(certificate, one.place.clone(), "cA is written although it says false"));
    let subtrees = certificate.known.name_constraints.read().into_iter().flat_map(|one| {
        one.permitted.iter().chain(&one.excluded).flatten().filter(|subtree| subtree.minimum == Some(0))
    });
    let minimum = subtrees.map(|subtree| {
        Found::new(certificate, subtree.base.place.clone(), "minimum is written although it is 0")
    });
    let version = certificate.fields().version.filter(|version| version.element.unsigned() == Some(0));
    let version = version
        .map(|version| Found::new(certificate, version.place, "the version is written although it is 1"));
    Outcome::all(critical.chain(constraints).chain(minimum).chain(version))
}
