//! What the checks of names share: attribute types, reserved policies, which names are looked at.

use super::prelude::*;
use crate::chain::{DistinguishedName, NameAttribute};

pub(super) const COMMON_NAME: &str = "2.5.4.3";
pub(super) const SURNAME: &str = "2.5.4.4";
pub(super) const SERIAL_NUMBER: &str = "2.5.4.5";
pub(super) const COUNTRY: &str = "2.5.4.6";
pub(super) const LOCALITY: &str = "2.5.4.7";
pub(super) const STATE: &str = "2.5.4.8";
pub(super) const STREET: &str = "2.5.4.9";
pub(super) const ORGANIZATION: &str = "2.5.4.10";
pub(super) const UNIT: &str = "2.5.4.11";
pub(super) const BUSINESS_CATEGORY: &str = "2.5.4.15";
pub(super) const POSTAL_CODE: &str = "2.5.4.17";
pub(super) const GIVEN_NAME: &str = "2.5.4.42";
pub(super) const ORGANIZATION_ID: &str = "2.5.4.97";
pub(super) const EMAIL: &str = "1.2.840.113549.1.9.1";
pub(super) const DOMAIN_COMPONENT: &str = "0.9.2342.19200300.100.1.25";
pub(super) const JURISDICTION_COUNTRY: &str = "1.3.6.1.4.1.311.60.2.1.3";

/// The reserved policies of the Baseline Requirements (section 7.1.6.1).
pub(in crate::checks) const EXTENDED_VALIDATION: &str = "2.23.140.1.1";
pub(super) const DOMAIN_VALIDATED: &str = "2.23.140.1.2.1";
pub(super) const ORGANIZATION_VALIDATED: &str = "2.23.140.1.2.2";
pub(super) const INDIVIDUAL_VALIDATED: &str = "2.23.140.1.2.3";

/// Whether the certificate lists this policy.
pub(in crate::checks) fn has_policy(certificate: &Examinee, oid: &str) -> bool {
    certificate.known.policies.read().is_some_and(|all| all.iter().any(|policy| policy.oid == oid))
}

/// Whether the subject has an attribute of this type.
pub(super) fn names(certificate: &Examinee, oid: &str) -> bool {
    certificate.subject.as_ref().is_some_and(|subject| subject.of_type(oid).next().is_some())
}

/// The subject's attributes.
pub(super) fn attributes(certificate: &Examinee) -> impl Iterator<Item = &NameAttribute> {
    certificate.subject.iter().flat_map(DistinguishedName::attributes)
}

/// Where the subject stands.
pub(super) fn subject_place(certificate: &Examinee) -> Place {
    certificate.place_of(certificate.fields().subject, "tbsCertificate.subject")
}

/// The subject, and the issuer where no certificate at hand has it as its subject: what is wrong with a name is said
/// once.
pub(super) fn both<'a>(
    certificate: &'a Examinee,
    context: &Context<'_>,
) -> impl Iterator<Item = &'a DistinguishedName> {
    let at_hand = certificate.is_self_issued()
        || context.chain.all().any(|other| other.subject_der() == certificate.issuer_der());
    certificate.subject.iter().chain(certificate.issuer.iter().filter(move |_| !at_hand))
}

/// One finding for each of these types that the subject lacks.
pub(super) fn lacking(certificate: &Examinee, wanted: &[(&str, &str)]) -> Vec<Found> {
    let missing = wanted.iter().filter(|(oid, _)| !names(certificate, oid));
    missing
        .map(|(_, name)| {
            Found::new(certificate, subject_place(certificate), format!("the subject has no {name}"))
                .expected(format!("{name} in the subject"))
        })
        .collect()
}
