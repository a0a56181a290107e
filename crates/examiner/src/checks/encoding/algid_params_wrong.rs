//! Algorithm identifiers have the parameters that their algorithm asks for.

use super::prelude::*;
use crate::chain::{Algorithm, Key};

pub static CHECK: Check = Check {
    id: "algid-params-wrong",
    severity: Severities::all(Error),
    clause: "RFC 4055 section 5, RFC 5758 section 3.2, BR section 7.1.3",
    expected: "the parameters of the algorithm",
    remedy: "Have the certificate issued again by software that encodes algorithm identifiers right.",
    affected: "clients that compare algorithm identifiers as bytes: rustls, Go, Firefox",
    in_force: None,
    consequence_of: &["certificate-unreadable", "ec-curve-not-allowed"],
    run: Run::Certificate(EVERY, run),
};

/// md5, sha1, sha224, sha256, sha384 and sha512WithRSAEncryption.
const RSA_SIGNATURES: &[&str] = &[
    "1.2.840.113549.1.1.4",
    "1.2.840.113549.1.1.5",
    "1.2.840.113549.1.1.14",
    "1.2.840.113549.1.1.11",
    "1.2.840.113549.1.1.12",
    "1.2.840.113549.1.1.13",
];
/// ECDSA with SHA-1 and SHA-2, Ed25519, Ed448, ML-DSA: as keys and as signatures without parameters.
const BARE: &[&str] = &[
    "1.2.840.10045.4.1",
    "1.2.840.10045.4.3.1",
    "1.2.840.10045.4.3.2",
    "1.2.840.10045.4.3.3",
    "1.2.840.10045.4.3.4",
    "1.3.101.112",
    "1.3.101.113",
    "2.16.840.1.101.3.4.3.17",
    "2.16.840.1.101.3.4.3.18",
    "2.16.840.1.101.3.4.3.19",
];

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let one = |algorithm: &Algorithm, is_key: bool| {
        let null = algorithm.parameters.as_deref() == Some(&[5, 0]);
        let wrong = match algorithm.oid.as_str() {
            Key::RSA if is_key => (!null).then_some("NULL"),
            Key::EC if is_key => algorithm.parameters.is_none().then_some("a curve"),
            oid if RSA_SIGNATURES.contains(&oid) => (!null).then_some("NULL"),
            oid if BARE.contains(&oid) => algorithm.parameters.is_some().then_some("no parameters"),
            _ => None,
        }?;
        let observed = match &algorithm.parameters {
            None => format!("{} without parameters", algorithm.oid),
            Some(_) => format!("{} with other parameters", algorithm.oid),
        };
        Some(
            Found::new(certificate, algorithm.place.clone(), observed)
                .expected(format!("{} with {wrong}", algorithm.oid)),
        )
    };
    // Where the two signature fields are the same, they are one fault.
    let (inner, outer) = (&certificate.inner_signature_algorithm, &certificate.signature_algorithm);
    let is_same = |outer: &&Algorithm| {
        inner.as_ref().is_some_and(|inner| inner.oid == outer.oid && inner.parameters == outer.parameters)
    };
    let outer = outer.as_ref().filter(|outer| !is_same(outer));
    let signatures = inner.iter().chain(outer).filter_map(|algorithm| one(algorithm, false));
    let key = certificate.key.as_ref().and_then(|key| one(&key.algorithm, true));
    Outcome::all(signatures.chain(key))
}
