//! An RSA key has at least 2048 bits.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "rsa-under-2048",
    severity: Severities::all(Error),
    clause: "BR section 6.1.5",
    expected: "a modulus of at least 2048 bits",
    remedy: "Make a new key, best P-256, and have a new certificate issued for it.",
    affected: "browsers, and systems at OpenSSL's security level 2",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(key) = &certificate.key else { return Outcome::Pass };
    match key.rsa_bits() {
        Some(bits) if bits < 2048 => {
            Outcome::found(certificate, key.place.clone(), format!("an RSA key of {bits} bits"))
        }
        _ => Outcome::Pass,
    }
}
