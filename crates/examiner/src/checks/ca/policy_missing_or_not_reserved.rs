//! A public certificate names one of the policies that the CA/Browser Forum reserves.

use super::prelude::*;
use super::shared_policies::RESERVED;
use crate::chain::extensions::Policy;
use crate::dates::BASELINE;
use crate::dates::BR_PROFILES;

pub static CHECK: Check = Check {
    id: "policy-missing-or-not-reserved",
    severity: Severities::web(Error),
    clause: "BR section 7.1.2.7.9, section 7.1.2.10.5",
    expected: "one of 2.23.140.1.1, 2.23.140.1.2.1, 2.23.140.1.2.2, 2.23.140.1.2.3",
    remedy: "Have it issued again with the reserved policy of its kind of validation.",
    affected: "root programmes; clients take it",
    in_force: Some(BASELINE),
    consequence_of: &[
        "certificate-unreadable",
        "extensions-without-v3",
        "version-not-3",
        "empty-extension-sequence",
    ],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let place = certificate.extension_place(id::CERTIFICATE_POLICIES);
    let policies = match &certificate.known.policies {
        Decoded::Absent => return Outcome::found(certificate, place, "it has no certificatePolicies"),
        Decoded::Wrong(_) => return Outcome::Pass,
        Decoded::Read(policies) => policies,
    };
    let of_ca = |oid: &str| certificate.role == Role::Intermediate && oid == Policy::ANY;
    let fits = policies.iter().any(|policy| RESERVED.contains(&policy.oid.as_str()) || of_ca(&policy.oid));
    let any_beside = certificate.role == Role::Intermediate
        && policies.len() > 1
        && policies.iter().any(|policy| policy.oid == Policy::ANY);
    if any_beside && certificate.not_before.is_none_or(|issued| issued >= BR_PROFILES) {
        return Found::new(certificate, place, "it names anyPolicy beside other policies")
            .expected("anyPolicy alone, or reserved policies without it")
            .in_force(BR_PROFILES)
            .into();
    }
    if fits || certificate.not_before.is_some_and(|issued| issued < BR_PROFILES) {
        return Outcome::Pass;
    }
    Found::new(certificate, place, "it names no reserved policy").in_force(BR_PROFILES).into()
}
