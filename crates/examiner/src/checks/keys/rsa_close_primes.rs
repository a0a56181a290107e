//! The two primes of an RSA modulus are not close to each other.
//!
//! Fermat's method finds them then in a few rounds; it is tried for a bounded number.

use super::prelude::*;
use super::shared_flaws::close_primes;

pub static CHECK: Check = Check {
    id: "rsa-close-primes",
    severity: Severities::all(Error),
    clause: "BR section 6.1.1.3",
    expected: "primes that Fermat's method does not find in 100 rounds",
    remedy: "Make a new key with other software: what made this one is broken. Have a new certificate issued for it, and this one revoked.",
    affected: "everyone: the private key can be worked out from the certificate",
    in_force: None,
    consequence_of: &["certificate-unreadable", "rsa-small-factor-or-even"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(key) = &certificate.key else { return Outcome::Pass };
    let KeyParts::Rsa { modulus, .. } = &key.parts else { return Outcome::Pass };
    match close_primes(modulus) {
        Some(round) => Outcome::found(
            certificate,
            key.place.clone(),
            format!("Fermat's method takes the modulus apart in round {round}"),
        ),
        None => Outcome::Pass,
    }
}
