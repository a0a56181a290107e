//! No policy is named twice.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "policy-duplicate",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.4",
    expected: "each policy once",
    remedy: "Have it issued again with each policy once.",
    affected: "strict clients; others take it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(policies) = certificate.known.policies.read() else { return Outcome::Pass };
    let repeated = policies
        .iter()
        .enumerate()
        .filter(|(i, policy)| policies[..*i].iter().any(|one| one.oid == policy.oid));
    Outcome::all(repeated.map(|(_, policy)| {
        Found::new(certificate, policy.place.clone(), format!("the policy {} stands there again", policy.oid))
    }))
}
