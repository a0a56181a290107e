//! A validated organisation or person is named in full: who, in which country, where.

use super::prelude::*;
use super::shared::{
    COUNTRY, GIVEN_NAME, INDIVIDUAL_VALIDATED, LOCALITY, ORGANIZATION, ORGANIZATION_VALIDATED, STATE,
    SURNAME, has_policy, names, subject_place,
};
use crate::dates::{BASELINE, BR_PROFILES, INDIVIDUAL_POLICY, WHOLE_IDENTITY};

pub static CHECK: Check = Check {
    id: "ov-iv-missing-attributes",
    severity: Severities::web(Error),
    clause: "BR sections 7.1.2.7.3 and 7.1.2.7.4",
    expected: "the organisation or person, the country, and the locality or state",
    remedy: "Ask the CA for a certificate with the whole identity, or for a domain-validated one.",
    affected: "root programmes",
    in_force: Some(BASELINE),
    consequence_of: &["certificate-unreadable", "dv-with-identity-attributes"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let has = |oid: &str| names(certificate, oid);
    let person = has(GIVEN_NAME) && has(SURNAME);
    let part_of_person = has(GIVEN_NAME) || has(SURNAME);
    let organization = has_policy(certificate, ORGANIZATION_VALIDATED);
    let since = |from: UnixTime| certificate.not_before.is_none_or(|issued| issued >= from);
    let individual = has_policy(certificate, INDIVIDUAL_VALIDATED) && since(INDIVIDUAL_POLICY);
    let identified = (has(ORGANIZATION) || part_of_person) && since(WHOLE_IDENTITY);
    let mut wanted: Vec<(&str, bool)> = Vec::new();
    wanted.push(("an organization", organization && !has(ORGANIZATION)));
    let named = person || (has(ORGANIZATION) && !since(BR_PROFILES));
    wanted.push(("a given name and a surname", individual && !named));
    let complete = organization || individual || identified;
    wanted.push(("a country", complete && !has(COUNTRY)));
    wanted.push(("a locality or a state", complete && !has(LOCALITY) && !has(STATE)));
    wanted.push(("the policy for persons", part_of_person && since(WHOLE_IDENTITY) && !individual));
    let missing: Vec<&str> = wanted.into_iter().filter(|(_, lacks)| *lacks).map(|(what, _)| what).collect();
    if missing.is_empty() {
        return Outcome::Pass;
    }
    let missing = missing.join(", ");
    Found::new(certificate, subject_place(certificate), format!("the subject lacks {missing}"))
        .expected(missing)
        .into()
}
