//! policyConstraints is critical and constrains something.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "policy-constraints-bad",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.11",
    expected: "policyConstraints, critical, with at least one field",
    remedy: "Issue the CA certificate again with the extension put right.",
    affected: "strict clients; others do not apply it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(ISSUERS, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(extension) = certificate.extension(id::POLICY_CONSTRAINTS) else { return Outcome::Pass };
    let Some(constraints) = certificate.known.policy_constraints.read() else { return Outcome::Pass };
    if constraints.require_explicit.is_none() && constraints.inhibit_mapping.is_none() {
        return Outcome::found(
            certificate,
            constraints.place.clone(),
            "policyConstraints constrains nothing",
        );
    }
    if !extension.is_critical() {
        return Outcome::found(certificate, extension.place.clone(), "policyConstraints is not critical");
    }
    Outcome::Pass
}
