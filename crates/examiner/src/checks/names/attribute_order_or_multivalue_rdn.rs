//! The attributes of a public subject stand in the order of the list, one in each RDN.

use super::prelude::*;
use super::shared::{
    COMMON_NAME, COUNTRY, DOMAIN_COMPONENT, GIVEN_NAME, LOCALITY, ORGANIZATION, POSTAL_CODE, STATE, STREET,
    SURNAME, UNIT, attributes, both,
};
use crate::dates::BR_PROFILES;

pub static CHECK: Check = Check {
    id: "attribute-order-or-multivalue-rdn",
    severity: Severities::web(Error),
    clause: "BR section 7.1.4.1",
    expected: "the order DC, C, ST, L, postalCode, street, O, surname, given name, OU, CN",
    remedy: "Ask the CA for a subject in the right order.",
    affected: "linters; nobody else today",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

const ORDER: &[&str] = &[
    DOMAIN_COMPONENT,
    COUNTRY,
    STATE,
    LOCALITY,
    POSTAL_CODE,
    STREET,
    ORGANIZATION,
    SURNAME,
    GIVEN_NAME,
    UNIT,
    COMMON_NAME,
];

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let mut found = Vec::new();
    for name in both(certificate, context) {
        found.extend(name.rdns.iter().filter(|rdn| rdn.len() > 1).map(|rdn| {
            Found::new(certificate, rdn[0].place.clone(), format!("{} attributes in one RDN", rdn.len()))
                .expected("one attribute in each RDN")
                .severity(Notice)
        }));
    }
    let recent = certificate.not_before.is_none_or(|issued| issued >= BR_PROFILES);
    let mut last = 0;
    let late = attributes(certificate).filter(|one| {
        let Some(rank) = ORDER.iter().position(|oid| *oid == one.oid) else { return false };
        let is_late = rank < last;
        last = last.max(rank);
        is_late
    });
    let late: Vec<_> = late.filter(|_| recent).collect();
    if let Some(first) = late.first() {
        let types: Vec<String> = late.iter().map(|one| one.type_name().to_string()).collect();
        let verb =
            if types.len() == 1 { "stands after what it belongs" } else { "stand after what they belong" };
        let observed = format!("{} {verb} before", types.join(", "));
        found.push(Found::new(certificate, first.place.clone(), observed).in_force(BR_PROFILES));
    }
    Outcome::all(found)
}
