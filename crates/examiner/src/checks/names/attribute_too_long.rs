//! Attributes of names keep to their upper bounds.

use super::prelude::*;
use super::shared::{
    COMMON_NAME, COUNTRY, EMAIL, GIVEN_NAME, LOCALITY, ORGANIZATION, POSTAL_CODE, SERIAL_NUMBER, STATE,
    STREET, SURNAME, UNIT, both,
};
use crate::chain::DistinguishedName;

pub static CHECK: Check = Check {
    id: "attribute-too-long",
    severity: Severities::all(Error),
    clause: "RFC 5280 appendix A.1",
    expected: "at most the upper bound of the attribute",
    remedy: "Have it issued again with a shorter value.",
    affected: "clients with fixed space; strict parsers refuse",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

const BOUNDS: &[(&str, usize)] = &[
    (COMMON_NAME, 64),
    (SURNAME, 32_768),
    (GIVEN_NAME, 32_768),
    (SERIAL_NUMBER, 64),
    (COUNTRY, 2),
    (LOCALITY, 128),
    (STATE, 128),
    (STREET, 128),
    (ORGANIZATION, 64),
    (UNIT, 64),
    (POSTAL_CODE, 40),
    (EMAIL, 255),
    // title, pseudonym.
    ("2.5.4.12", 64),
    ("2.5.4.65", 128),
];

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    Outcome::all(both(certificate, context).flat_map(DistinguishedName::attributes).filter_map(|one| {
        let (_, most) = BOUNDS.iter().find(|(oid, _)| *oid == one.oid)?;
        let length = one.text().map_or(one.bytes.len(), |text| text.chars().count());
        (length > *most).then(|| {
            let observed = format!("{} of {length} characters", one.type_name());
            Found::new(certificate, one.place.clone(), observed)
                .expected(format!("at most {most} characters"))
        })
    }))
}
