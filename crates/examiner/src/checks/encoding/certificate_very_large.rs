//! A certificate is small enough for the first flight of a handshake.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "certificate-very-large",
    severity: Severities::all(Warning),
    clause: "RFC 6928 section 2, RFC 9000 section 8.1",
    expected: "some kilobytes",
    remedy: "Put fewer names into one certificate.",
    affected: "slow or lossy links: each handshake takes a round trip more; some devices fail",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let length = certificate.der().len();
    // Ten segments of 1,460 octets go out before the first answer; the rest of the handshake needs its part of them.
    if length <= 10_000 {
        return Outcome::Pass;
    }
    Outcome::found(certificate, certificate.place(), format!("it has {length} octets"))
}
