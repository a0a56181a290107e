//! keyUsage sets at least one bit, and is written without superfluous bits.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "ku-empty-or-bad-encoding",
    severity: Severities::all(Error).mtls_client(Some(Warning)),
    clause: "RFC 5280 section 4.2.1.3, X.690 section 11.2.2",
    expected: "a BIT STRING with at least one bit set and no zero bit at its end",
    remedy: "Have the certificate issued again with the right key usage.",
    affected: "strict clients; an empty one allows nothing",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(usage) = certificate.known.key_usage.read() else { return Outcome::Pass };
    let observed = match usage.octets.last() {
        _ if usage.bits == 0 => "it sets no bit".to_owned(),
        Some(0) => "it ends in an octet without a bit".into(),
        Some(last) if last.trailing_zeros() < usage.unused.into() => {
            "it sets bits that it says are unused".into()
        }
        Some(last) if last.trailing_zeros() > usage.unused.into() => "it has zero bits at its end".into(),
        _ if usage.bits >> 9 != 0 || usage.octets.len() > 2 => "it sets bits that mean nothing".into(),
        _ => return Outcome::Pass,
    };
    Outcome::found(certificate, usage.place.clone(), observed)
}
