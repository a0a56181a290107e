//! An RSA key does not carry the mark of the broken Infineon library (CVE-2017-15361, "ROCA").
//!
//! That library made primes of the form k*M + (65537^a mod M), M being a product of small primes. So modulo each of these
//! small primes the modulus is a power of 65537. Another key passes for such a one about once in 2^27 keys.

use super::prelude::*;
use super::shared_flaws::has_roca_form;

pub static CHECK: Check = Check {
    id: "rsa-roca",
    severity: Severities::all(Error),
    clause: "BR section 6.1.1.3",
    expected: "a modulus that is not of the form which that library makes",
    remedy: "Make a new key in software, or on a token with firmware of after 2017. Have a new certificate issued for it, and this one revoked.",
    affected: "everyone: keys of 512 to 2048 bits of this form can be taken apart",
    in_force: None,
    consequence_of: &["certificate-unreadable", "rsa-small-factor-or-even"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(key) = &certificate.key else { return Outcome::Pass };
    let KeyParts::Rsa { modulus, .. } = &key.parts else { return Outcome::Pass };
    if key.rsa_bits().is_none_or(|bits| bits < 512) || !has_roca_form(modulus) {
        return Outcome::Pass;
    }
    Outcome::found(certificate, key.place.clone(), "the modulus has the form that the broken library makes")
}
