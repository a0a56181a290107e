//! A serial number is positive.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "serial-not-positive",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.1.2.2",
    expected: "a positive integer",
    remedy: "Have the certificate issued again with another serial number.",
    affected: "strict clients, and everything that looks revocation up by serial number",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    // A root is taken from the store as it is; clients do not look at its serial number.
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let serial = certificate.serial();
    let negative = serial.first().is_some_and(|octet| octet & 0x80 != 0);
    if !negative && serial.iter().any(|octet| *octet != 0) {
        return Outcome::Pass;
    }
    let place = certificate.place_of(certificate.fields().serial, "tbsCertificate.serialNumber");
    Outcome::found(
        certificate,
        place,
        if negative { "the serial number is negative" } else { "the serial number is 0" },
    )
}
