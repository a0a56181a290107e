//! What was not validated is not named: a domain-validated subject has no organisation, person or place.

use super::prelude::*;
use super::shared::{
    COMMON_NAME, COUNTRY, DOMAIN_VALIDATED, GIVEN_NAME, LOCALITY, ORGANIZATION, POSTAL_CODE, STATE, STREET,
    SURNAME, UNIT, attributes, has_policy, names,
};
use crate::dates::{BASELINE, BR_PROFILES, WHOLE_IDENTITY};

pub static CHECK: Check = Check {
    id: "dv-with-identity-attributes",
    severity: Severities::web(Error),
    clause: "BR section 7.1.2.7.2",
    expected: "at most country and common name",
    remedy: "Ask for a certificate without these attributes, or with the policy that was validated.",
    affected: "root programmes; the CA may have to revoke it",
    in_force: Some(BASELINE),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

/// A place.
const PLACE: &[&str] = &[LOCALITY, STATE, STREET, POSTAL_CODE];
/// A place, and who is there.
const IDENTITY: &[&str] = &[LOCALITY, STATE, STREET, POSTAL_CODE, ORGANIZATION];

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let domain_only = has_policy(certificate, DOMAIN_VALIDATED);
    let anyone = [ORGANIZATION, GIVEN_NAME, SURNAME].iter().any(|oid| names(certificate, oid));
    let strict = certificate.not_before.is_none_or(|issued| issued >= BR_PROFILES);
    let wrong = attributes(certificate).filter(|one| {
        let oid = one.oid.as_str();
        match domain_only {
            // Units have a check of their own.
            true if strict => ![COUNTRY, COMMON_NAME, UNIT].contains(&oid),
            true => IDENTITY.contains(&oid),
            // Without anyone named there is nobody that the place belongs to.
            false => {
                !anyone
                    && PLACE.contains(&oid)
                    && certificate.not_before.is_none_or(|issued| issued >= WHOLE_IDENTITY)
            }
        }
    });
    Outcome::all(wrong.map(|one| {
        let why = match domain_only {
            true if strict => "and a validated domain has country and common name alone",
            true => "although only the domain was validated",
            false => "and nobody whose it is",
        };
        Found::new(certificate, one.place.clone(), format!("it names {} {why}", one.type_name()))
    }))
}
