//! An ECDSA signature uses the hash that belongs to the curve of the key that signed.

use super::prelude::*;
use super::shared_curves::Curve;

/// The algorithm, its hash, and the curve that belongs to it.
const ECDSA: &[(&str, &str, &str)] = &[
    ("1.2.840.10045.4.3.2", "SHA-256", "1.2.840.10045.3.1.7"),
    ("1.2.840.10045.4.3.3", "SHA-384", "1.3.132.0.34"),
    ("1.2.840.10045.4.3.4", "SHA-512", "1.3.132.0.35"),
];

pub static CHECK: Check = Check {
    id: "ecdsa-hash-not-matching-curve",
    severity: Severities::web(Error).private_server(Some(Notice)),
    clause: "BR section 7.1.3.2.2",
    expected: "SHA-256 under a P-256 key, SHA-384 under P-384, SHA-512 under P-521",
    remedy: "Set the CA's signature hash to that of its curve and issue again.",
    affected: "root programmes; clients that tie hash and curve together (TLS 1.3)",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let Some(algorithm) = &certificate.signature_algorithm else { return Outcome::Pass };
    let Some((hash, curve)) =
        ECDSA.iter().find(|(oid, ..)| *oid == algorithm.oid).map(|(_, hash, curve)| (hash, curve))
    else {
        return Outcome::Pass;
    };
    let mut curves = context
        .chain
        .issuers_by_name(certificate)
        .filter_map(|issuer| match &issuer.key.as_ref()?.parts {
            KeyParts::Ec { curve } => Some(curve.as_deref()),
            _ => None,
        })
        .peekable();
    let Some(first) = curves.peek().copied() else {
        if context.chain.issuers_by_name(certificate).next().is_some() {
            return Outcome::Pass;
        }
        return Outcome::CannotTell(
            Needs::Issuer,
            "whether the hash belongs to the curve of its issuer's key".into(),
        );
    };
    if curves.any(|one| one == Some(curve)) {
        return Outcome::Pass;
    }
    let named = first.map_or("an unnamed curve", |oid| Curve::named(oid).map_or(oid, |curve| curve.name()));
    Outcome::found(
        certificate,
        algorithm.place.clone(),
        format!("it is signed with {hash} under a key on {named}"),
    )
}
