//! A public certificate names one reserved policy and no more.

use super::prelude::*;
use super::shared_policies::RESERVED;
use crate::chain::extensions::Policy;
use crate::dates::BR_PROFILES;

pub static CHECK: Check = Check {
    id: "policy-many-reserved",
    severity: Severities::web(Error),
    clause: "BR section 7.1.6.1",
    expected: "exactly one reserved policy",
    remedy: "Have it issued again with the one policy of its kind of validation.",
    affected: "root programmes; clients take it",
    in_force: Some(BR_PROFILES),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(policies) = certificate.known.policies.read() else { return Outcome::Pass };
    let mut reserved: Vec<&Policy> = Vec::new();
    for policy in policies.iter().filter(|policy| RESERVED.contains(&policy.oid.as_str())) {
        if !reserved.iter().any(|other| other.oid == policy.oid) {
            reserved.push(policy);
        }
    }
    if reserved.len() < 2 {
        return Outcome::Pass;
    }
    let listed: Vec<&str> = reserved.iter().map(|policy| policy.oid.as_str()).collect();
    Outcome::found(certificate, reserved[1].place.clone(), format!("it names {}", listed.join(", ")))
}
