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
    consequence_of: &["certificate-unreadable", "signature-alg-mismatch", "ecdsa-signature-malformed"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    // Where paths hold, what stands on none of them may have an issuer of the same name that is not at hand: a CA's new
    // key certified by its old one, say. A trust anchor's own signature says nothing at all.
    let valid = &context.paths().valid;
    let counts =
        |one: &Examinee| valid.is_empty() || valid.iter().flatten().any(|other| other.index == one.index);
    Outcome::all(chain.examined().filter(|one| counts(one)).filter_map(|certificate| {
        // One issuer that fits is enough; an algorithm that is not known here decides nothing. A key is tried once.
        let mut tried: Vec<&[u8]> = Vec::new();
        for issuer in chain.issuers_by_name(certificate) {
            let key = issuer.fields().spki.map_or(&[][..], |key| key.element.bytes());
            if !tried.contains(&key) && verdict(certificate, issuer) != Some(false) {
                return None;
            }
            tried.push(key);
        }
        if tried.is_empty() {
            return None;
        }
        let place = certificate.place_of(certificate.fields().signature, "signatureValue");
        Some(Found::new(certificate, place, "the signature does not verify with its issuer's key"))
    }))
}
