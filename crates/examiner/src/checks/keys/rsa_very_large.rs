//! An RSA key of a server or client is not so large that every handshake pays for it.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "rsa-very-large",
    severity: Severities::all(Notice),
    clause: "practice (cost of a handshake)",
    expected: "2048 to 4096 bits, or P-256",
    remedy: "Use P-256, or RSA with 3072 bits: both are strong enough and many times faster.",
    affected: "busy servers and small devices; some hardware takes at most 4096 bits",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(key) = &certificate.key else { return Outcome::Pass };
    match key.rsa_bits() {
        Some(bits) if bits > 4096 => {
            Outcome::found(certificate, key.place.clone(), format!("an RSA key of {bits} bits"))
        }
        _ => Outcome::Pass,
    }
}
