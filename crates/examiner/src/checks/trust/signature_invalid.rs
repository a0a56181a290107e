//! The signature of a certificate verifies with its issuer's key.

use super::prelude::*;
use crate::path::signature::verdict;

pub static CHECK: Check = Check {
    id: "signature-invalid",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 6.1.3",
    expected: "a signature that verifies with the key of the issuer it names",
    remedy: "Serve the certificate of the CA that issued it: another one of the same name has another key.",
    affected: "every client",
    in_force: None,
    consequence_of: &["certificate-unreadable", "signature-alg-mismatch"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    Outcome::all(chain.examined().filter_map(|certificate| {
        let verdicts: Vec<Option<bool>> =
            chain.issuers_by_name(certificate).map(|issuer| verdict(certificate, issuer)).collect();
        // One issuer that fits is enough; an algorithm that is not known here decides nothing.
        if verdicts.is_empty() || verdicts.iter().any(|verdict| *verdict != Some(false)) {
            return None;
        }
        let place = certificate.place_of(certificate.fields().signature, "signatureValue");
        Some(Found::new(certificate, place, "the signature does not verify with its issuer's key"))
    }))
}
