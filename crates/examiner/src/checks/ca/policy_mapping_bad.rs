//! policyMappings maps policies that the certificate names, never anyPolicy, and is critical.

use super::prelude::*;
use crate::chain::extensions::Policy;

pub static CHECK: Check = Check {
    id: "policy-mapping-bad",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.5",
    expected: "critical mappings of the certificate's own policies",
    remedy: "Issue the CA certificate again with the extension put right.",
    affected: "clients that ask for a policy; mapping anyPolicy makes them refuse",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(ISSUERS, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(mappings) = certificate.known.policy_mappings.read() else { return Outcome::Pass };
    let policies = certificate.known.policies.read();
    let named = |oid: &str| {
        policies.is_some_and(|all| all.iter().any(|one| one.oid == oid || one.oid == Policy::ANY))
    };
    let mut findings: Vec<Found> = mappings
        .iter()
        .filter_map(|mapping| {
            let found = |observed: String| Found::new(certificate, mapping.place.clone(), observed);
            if mapping.issuer == Policy::ANY || mapping.subject == Policy::ANY {
                return Some(found("it maps anyPolicy".into()));
            }
            (!named(&mapping.issuer)).then(|| {
                found(format!("it maps {}, which it does not name itself", mapping.issuer)).severity(Warning)
            })
        })
        .collect();
    if let Some(extension) =
        certificate.extension(id::POLICY_MAPPINGS).filter(|extension| !extension.is_critical())
    {
        findings.push(
            Found::new(certificate, extension.place.clone(), "policyMappings is not critical")
                .severity(Warning),
        );
    }
    Outcome::all(findings)
}
