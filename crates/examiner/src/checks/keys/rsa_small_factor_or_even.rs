//! An RSA modulus has no prime factor below 752.

use super::prelude::*;
use super::shared_flaws::small_factor;

pub static CHECK: Check = Check {
    id: "rsa-small-factor-or-even",
    severity: Severities::all(Error),
    clause: "BR section 6.1.6",
    expected: "a modulus that is the product of two large primes",
    remedy: "Make a new key with other software: what made this one is broken. Have a new certificate issued for it, and this one revoked.",
    affected: "everyone: the key can be taken apart",
    in_force: None,
    consequence_of: &["certificate-unreadable", "der-negative-or-padded-integer"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(key) = &certificate.key else { return Outcome::Pass };
    let KeyParts::Rsa { modulus, .. } = &key.parts else { return Outcome::Pass };
    match small_factor(modulus) {
        Some(prime) => {
            Outcome::found(certificate, key.place.clone(), format!("the modulus is divisible by {prime}"))
        }
        None => Outcome::Pass,
    }
}
