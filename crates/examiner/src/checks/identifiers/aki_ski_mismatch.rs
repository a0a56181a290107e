//! The key identifier of the issuer that a certificate names is the one that its issuer's certificate has.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "aki-ski-mismatch",
    severity: Severities::all(Warning).rfc5280(Some(Error)),
    clause: "RFC 5280 section 4.2.1.1",
    expected: "the subject key identifier of the issuer",
    remedy: "Serve the issuer's certificate that belongs to the key that signed, or issue again with the right identifier.",
    affected: "clients that choose issuers by key identifier: OpenSSL, Windows",
    in_force: None,
    consequence_of: &["certificate-unreadable", "extension-undecodable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    Outcome::all(chain.examined().filter_map(|certificate| {
        let authority = certificate.known.authority_key_id.read()?;
        let wanted = authority.key_id.as_ref()?;
        let issuers: Vec<&Examinee> = chain.issuers_by_name(certificate).collect();
        let known: Vec<&Vec<u8>> =
            issuers.iter().filter_map(|issuer| Some(&issuer.known.subject_key_id.read()?.id)).collect();
        // An issuer without an identifier contradicts nothing.
        if known.is_empty() || known.len() < issuers.len() || known.contains(&wanted) {
            return None;
        }
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        let found =
            Found::new(certificate, authority.place.clone(), format!("it names the key {}", hex(wanted)));
        let found = found.expected(format!("the issuer's identifier {}", hex(known[0])));
        // A root contradicts itself: no client has a reason to doubt which key is meant (BR section 7.1.2.1.3).
        Some(if certificate.is_self_issued() { found.severity(Error) } else { found })
    }))
}
