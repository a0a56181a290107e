//! A client certificate is no CA certificate.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "client-ca-bit-set",
    severity: Severities::client(Error),
    clause: "RFC 5280 section 4.2.1.9",
    expected: "cA false, or no basicConstraints",
    remedy: "Issue client certificates from the CA, and keep the CA's own certificate for that.",
    affected: "rustls refuses (CaUsedAsEndEntity); others may let it issue",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    // The first certificate is the client's own, whatever it says of itself.
    if certificate.index != 0 || !certificate.is_ca() {
        return Outcome::Pass;
    }
    let place = certificate.extension_place(id::BASIC_CONSTRAINTS);
    Outcome::found(certificate, place, "basicConstraints says that it is a CA")
}
