//! The public exponent of an RSA key lies between 2^16 + 1 and 2^256 - 1.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "rsa-exponent-out-of-range",
    severity: Severities::all(Notice).on_web(Some(Warning)),
    clause: "BR section 6.1.6",
    expected: "a public exponent from 65537 to 2^256 - 1",
    remedy: "Make a new key, best P-256, and have a new certificate issued for it.",
    affected: "clients that refuse such exponents: Windows above 32 bits, some TLS libraries below 65537",
    in_force: None,
    consequence_of: &["certificate-unreadable", "rsa-exponent-one-even-small"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(key) = &certificate.key else { return Outcome::Pass };
    let KeyParts::Rsa { exponent, .. } = &key.parts else { return Outcome::Pass };
    // Big-endian without leading zeroes: of the same length the slices compare as the numbers do.
    let too_small = exponent.len() < 3 || (exponent.len() == 3 && exponent.as_slice() < [1, 0, 1].as_slice());
    let observed = match (too_small, exponent.len()) {
        (true, _) => format!("the public exponent is 0x{}", data_encoding::HEXLOWER.encode(exponent)),
        (false, 33..) => format!("the public exponent has {} octets", exponent.len()),
        _ => return Outcome::Pass,
    };
    Outcome::found(certificate, key.place.clone(), observed)
}
