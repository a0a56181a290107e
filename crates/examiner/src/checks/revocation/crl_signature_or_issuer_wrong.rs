//! A revocation list that was given is by a CA of the chain, and signed by it.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "crl-signature-or-issuer-wrong",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 6.3.3",
    expected: "a list that verifies with the key of a CA of the chain",
    remedy: "Fetch the list from the address that the certificate names.",
    affected: "whatever obeys the list: it decides nothing",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let Some(certificate) = chain.end_entity() else { return Outcome::Pass };
    Outcome::all(chain.side.crls.iter().filter_map(|given| {
        let issuers: Vec<&Examinee> =
            chain.all().filter(|one| one.subject_der() == given.list.issuer).collect();
        match issuers.first() {
            None => Some(Found::new(
                certificate,
                certificate.place(),
                "a revocation list is by no CA of this chain",
            )),
            Some(_) if issuers.iter().any(|issuer| given.list.is_signed_by(issuer)) => None,
            Some(issuer) => {
                Some(Found::new(issuer, issuer.place(), "its revocation list does not verify with its key"))
            }
        }
    }))
}
