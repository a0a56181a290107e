//! A public CA's serial numbers hold 64 bits of a random number.

use super::prelude::*;
use crate::dates::RANDOM_SERIALS;

pub static CHECK: Check = Check {
    id: "serial-low-entropy",
    severity: Severities::web(Warning),
    clause: "BR section 7.1",
    expected: "a number with room for 64 random bits",
    remedy: "Ask the CA for serial numbers of at least 64 random bits.",
    affected: "nobody today; it made forged certificates possible with weak hashes",
    in_force: Some(RANDOM_SERIALS),
    consequence_of: &["certificate-unreadable", "serial-not-positive"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let significant = certificate.serial().iter().skip_while(|octet| **octet == 0).count();
    if significant == 0 || significant >= 8 {
        return Outcome::Pass;
    }
    let place = certificate.place_of(certificate.fields().serial, "tbsCertificate.serialNumber");
    Found::new(certificate, place, format!("the serial number has {significant} octets")).likely().into()
}
