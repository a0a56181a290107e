//! Certificates of different peers do not share a key, nor a prime of one.
//!
//! Renewed certificates of one subject may keep theirs; here the names differ. The primes are compared by the greatest common
//! divisor over all RSA keys at hand.

use super::prelude::*;
use super::shared_numbers::greatest_common_divisor;
use num_bigint::BigUint;

/// Certificates compared; more would cost more time than the finding is worth.
const MOST: usize = 256;

pub static CHECK: Check = Check {
    id: "shared-key-across-inputs",
    severity: Severities::all(Warning),
    clause: "BR section 6.1.1.3; practice",
    expected: "a key of its own for each peer",
    remedy: "Make a key for each of them; revoke what was issued for the shared one if it was not shared on purpose.",
    affected: "whoever holds one of these keys can pass for all the others",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let mut findings = Vec::new();
    let mut seen: Vec<&Examinee> = Vec::new();
    let mut product = BigUint::from(1u8);
    for certificate in chain.examined().filter(|certificate| certificate.role == Role::EndEntity).take(MOST) {
        let Some(key) = &certificate.key else { continue };
        let same_key = |other: &&&Examinee| other.key.as_ref().is_some_and(|k| k.bits == key.bits);
        match seen.iter().find(same_key) {
            Some(other)
                if other.subject_der() != certificate.subject_der() || names(other) != names(certificate) =>
            {
                let observed = format!("certificate {} has the same key for other names", other.index);
                findings.push(Found::new(certificate, key.place.clone(), observed));
            }
            Some(_) => continue,
            None => {
                if let KeyParts::Rsa { modulus, .. } = &key.parts {
                    let modulus = BigUint::from_bytes_be(modulus);
                    if modulus > BigUint::from(1u8) {
                        if greatest_common_divisor(&modulus, &product) > BigUint::from(1u8) {
                            let observed =
                                "its modulus shares a prime with that of another certificate given here";
                            let found = Found::new(certificate, key.place.clone(), observed);
                            findings.push(
                                found
                                    .severity(Error)
                                    .affected("everyone: both private keys can be worked out"),
                            );
                        }
                        product *= modulus;
                    }
                }
                seen.push(certificate);
            }
        }
    }
    Outcome::all(findings)
}

fn names(certificate: &Examinee) -> Vec<String> {
    let mut all: Vec<String> =
        certificate.known.subject_alt_name.read().into_iter().flatten().map(ToString::to_string).collect();
    all.sort();
    all
}
