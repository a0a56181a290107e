//! A serial number has at most 20 octets.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "serial-over-20-octets",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.1.2.2",
    expected: "at most 20 octets",
    remedy: "Have the certificate issued again with a shorter serial number.",
    affected: "clients with fixed space for it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let length = certificate.serial().len();
    if length <= 20 {
        return Outcome::Pass;
    }
    let place = certificate.place_of(certificate.fields().serial, "tbsCertificate.serialNumber");
    Outcome::found(certificate, place, format!("the serial number has {length} octets"))
}
