//! An issuer's key is not far weaker than the key that it vouches for.
//!
//! A chain is as strong as its weakest key: a P-384 key under an RSA key of 2048 bits buys nothing.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "weaker-issuer-than-leaf",
    severity: Severities::all(Notice),
    clause: "practice (strength of the chain; NIST SP 800-57 part 1 table 2)",
    expected: "an issuer whose key is about as strong",
    remedy: "Use a P-256 key here, or an issuer with a stronger key.",
    affected: "nobody is refused; the larger key is paid for in vain",
    in_force: None,
    consequence_of: &["certificate-unreadable", "rsa-under-2048"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let Some(certificate) = chain.end_entity() else { return Outcome::Pass };
    let (Some(key), Some(own)) = (&certificate.key, strength(certificate)) else { return Outcome::Pass };
    let strongest = chain
        .issuers_by_name(certificate)
        .filter_map(|issuer| Some((strength(issuer)?, issuer)))
        .max_by_key(|(s, _)| *s);
    match strongest {
        Some((theirs, issuer)) if own >= theirs + 48 => {
            let observed = format!(
                "its key is about as strong as {own} bits, that of its issuer (certificate {}) {theirs}",
                issuer.index
            );
            Outcome::found(certificate, key.place.clone(), observed)
        }
        _ => Outcome::Pass,
    }
}

/// How strong a key is, as the length of a symmetric key that takes as much work.
fn strength(certificate: &Examinee) -> Option<u32> {
    let key = certificate.key.as_ref()?;
    if let Some(bits) = key.rsa_bits() {
        return Some(match bits {
            ..1024 => 64,
            1024..2048 => 80,
            2048..3072 => 112,
            3072..7680 => 128,
            7680..15360 => 192,
            _ => 256,
        });
    }
    match &key.parts {
        KeyParts::Ec { curve } => match curve.as_deref()? {
            "1.2.840.10045.3.1.7" => Some(128),
            "1.3.132.0.34" => Some(192),
            "1.3.132.0.35" => Some(256),
            _ => None,
        },
        KeyParts::Other if key.algorithm.oid == "1.3.101.112" => Some(128),
        _ => None,
    }
}
