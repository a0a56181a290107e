//! The length of an RSA modulus is a multiple of 8 bits.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "rsa-not-multiple-of-8",
    severity: Severities::web(Error),
    clause: "BR section 6.1.5",
    expected: "a modulus whose length in bits is divisible by 8",
    remedy: "Make a new key, best P-256, and have a new certificate issued for it.",
    affected: "root programmes; most clients take it",
    in_force: None,
    consequence_of: &["certificate-unreadable", "rsa-under-2048"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(key) = &certificate.key else { return Outcome::Pass };
    match key.rsa_bits() {
        Some(bits) if bits % 8 != 0 => {
            Outcome::found(certificate, key.place.clone(), format!("an RSA key of {bits} bits"))
        }
        _ => Outcome::Pass,
    }
}
