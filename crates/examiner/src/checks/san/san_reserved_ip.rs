//! A public certificate names no reserved address.

use super::prelude::*;
use super::shared::found;
use super::shared_addresses::is_reserved;
use crate::dates::BASELINE;

pub static CHECK: Check = Check {
    id: "san-reserved-ip",
    severity: Severities::web(Error),
    clause: "BR section 7.1.2.7.12",
    expected: "a public address",
    remedy: "Use a public address, or a private CA for internal ones.",
    affected: "root programmes; the CA may have to revoke it",
    in_force: Some(BASELINE),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let names = certificate.known.subject_alt_name.read().into_iter().flatten();
    let listed = names.filter(|name| name.ip().is_some_and(is_reserved));
    let listed = listed.map(|name| found(certificate, name, format!("{name} is reserved")));
    let common = certificate.subject.iter().flat_map(|subject| subject.of_type("2.5.4.3"));
    let common = common.filter(|one| one.text().and_then(|text| text.parse().ok()).is_some_and(is_reserved));
    let common =
        common.map(|one| Found::new(certificate, one.place.clone(), "the common name is a reserved address"));
    Outcome::all(listed.chain(common))
}
