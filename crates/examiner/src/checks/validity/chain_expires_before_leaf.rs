//! No issuer in the chain ends before the end-entity certificate.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "chain-expires-before-leaf",
    severity: Severities::all(Warning),
    clause: "practice: a path ends with its first certificate that ends",
    expected: "an end not before that of the end-entity certificate",
    remedy: "Serve an intermediate that lasts longer; the CA publishes them. Renew the certificate where there is none.",
    affected: "every client, from the day the issuer ends",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let Some((leaf, end)) = chain.end_entity().and_then(|leaf| Some((leaf, leaf.not_after?))) else {
        return Outcome::Pass;
    };
    let shorter = chain.examined().filter(|one| one.index != leaf.index && one.is_issuer());
    let shorter = shorter.filter(|one| one.not_after.is_some_and(|last| last < end && last >= context.at));
    Outcome::all(shorter.map(|one| {
        let place = one.place_of(one.fields().not_after, "tbsCertificate.validity.notAfter");
        let last = one.not_after.unwrap_or_default();
        Found::new(one, place, format!("it ends {last}, before the end-entity certificate ({end})"))
    }))
}
