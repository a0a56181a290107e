//! The public exponent of an RSA key is odd and at least 3.
//!
//! With the exponent 1 every signature verifies; an even one belongs to no RSA key.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "rsa-exponent-one-even-small",
    severity: Severities::all(Error),
    clause: "BR section 6.1.6",
    expected: "an odd public exponent of at least 3, best 65537",
    remedy: "Make a new key, best P-256, and have a new certificate issued for it.",
    affected: "everyone: whoever reads the certificate can forge",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(key) = &certificate.key else { return Outcome::Pass };
    let KeyParts::Rsa { exponent, .. } = &key.parts else { return Outcome::Pass };
    let is_even = exponent.last().is_none_or(|last| last % 2 == 0);
    if !is_even && exponent != &[1] {
        return Outcome::Pass;
    }
    let shown = data_encoding::HEXLOWER.encode(exponent);
    let what = if exponent.is_empty() { "0".into() } else { format!("0x{shown}") };
    Outcome::found(certificate, key.place.clone(), format!("the public exponent is {what}"))
}
