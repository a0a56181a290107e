//! No issuer gives one serial number to two certificates.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "serial-reused-by-issuer",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.1.2.2",
    expected: "a serial number of its own",
    remedy: "Have one of the two issued again, and see why the CA repeats serial numbers.",
    affected: "revocation of the one revokes the other; browsers show an error",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let all: Vec<&Examinee> = chain.all().collect();
    let repeated = all.iter().enumerate().filter_map(|(i, one)| {
        let same = |other: &&&Examinee| {
            other.issuer_der() == one.issuer_der()
                && other.serial() == one.serial()
                && other.der() != one.der()
        };
        let earlier = all[..i].iter().find(same).filter(|_| !one.serial().is_empty())?;
        let place = one.place_of(one.fields().serial, "tbsCertificate.serialNumber");
        let observed =
            format!("its issuer gave the same serial number to \u{201c}{}\u{201d}", earlier.shown_name());
        Some(Found::new(one, place, observed))
    });
    Outcome::all(repeated)
}
