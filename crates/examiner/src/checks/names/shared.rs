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
pub(super) const EXTENDED_VALIDATION: &str = "2.23.140.1.1";
pub(super) const DOMAIN_VALIDATED: &str = "2.23.140.1.2.1";
pub(super) const ORGANIZATION_VALIDATED: &str = "2.23.140.1.2.2";
pub(super) const INDIVIDUAL_VALIDATED: &str = "2.23.140.1.2.3";

/// Whether the certificate lists this policy.
pub(super) fn has_policy(certificate: &Examinee, oid: &str) -> bool {
    certificate.known.policies.read().is_some_and(|all| all.iter().any(|policy| policy.oid == oid))
}

/// Whether the subject has an attribute of this type that is not empty.
pub(super) fn names(certificate: &Examinee, oid: &str) -> bool {
    certificate.subject.as_ref().is_some_and(|subject| subject.of_type(oid).any(|one| !one.bytes.is_empty()))
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

/// The policies by which CAs marked extended validation before there was a reserved one, and beside it.
const OWN_EXTENDED_VALIDATION: &[&str] = &[
    "1.2.392.200091.100.721.1",
    "1.2.616.1.113527.2.5.1.1",
    "1.3.6.1.4.1.6334.1.100.1",
    "1.3.6.1.4.1.4146.1.1",
    "1.3.6.1.4.1.4788.2.202.1",
    "1.3.6.1.4.1.6449.1.2.1.5.1",
    "1.3.6.1.4.1.782.1.2.1.8.1",
    "1.3.6.1.4.1.7879.13.24.1",
    "1.3.6.1.4.1.8024.0.2.100.1.2",
    "1.3.6.1.4.1.13177.10.1.3.10",
    "1.3.6.1.4.1.14370.1.6",
    "1.3.6.1.4.1.14777.6.1.1",
    "1.3.6.1.4.1.17326.10.14.2.1.2",
    "1.3.6.1.4.1.22234.2.5.2.3.1",
    "1.3.6.1.4.1.23223.1.1.1",
    "1.3.6.1.4.1.34697.2.1",
    "1.3.6.1.4.1.34697.2.2",
    "1.3.6.1.4.1.34697.2.3",
    "1.3.6.1.4.1.34697.2.4",
    "1.3.6.1.4.1.36305.2",
    "1.3.6.1.4.1.40869.1.1.22.3",
    "2.16.578.1.26.1.3.3",
    "2.16.756.1.89.1.2.1.1",
    "2.16.840.1.113733.1.7.23.6",
    "2.16.840.1.113733.1.7.48.1",
    "2.16.840.1.114028.10.1.2",
    "2.16.840.1.114412.2.1",
    "2.16.840.1.114413.1.7.23.3",
    "2.16.840.1.114414.1.7.23.3",
];

/// Whether a policy says extended validation.
pub(in crate::checks) fn is_extended(certificate: &Examinee) -> bool {
    has_policy(certificate, EXTENDED_VALIDATION)
        || OWN_EXTENDED_VALIDATION.iter().any(|oid| has_policy(certificate, oid))
}

/// One finding for each of these types that the subject lacks.
pub(super) fn lacking(certificate: &Examinee, wanted: &[(&str, &str)]) -> Outcome {
    let missing: Vec<&str> =
        wanted.iter().filter(|(oid, _)| !names(certificate, oid)).map(|(_, name)| *name).collect();
    if missing.is_empty() {
        return Outcome::Pass;
    }
    let observed = format!("the subject has no {}", missing.join(", no "));
    Found::new(certificate, subject_place(certificate), observed)
        .expected(format!("{} in the subject", missing.join(", ")))
        .into()
}
