//! authorityKeyIdentifier holds the key identifier alone.
//!
//! Issuer and serial number in it tie the certificate to one certificate of the issuer, which a new one of the same key then breaks.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "aki-has-issuer-serial",
    severity: Severities::web(Error),
    clause: "BR section 7.1.2.11.1, section 7.1.2.1.3",
    expected: "the key identifier alone",
    remedy: "Have it issued again with the key identifier alone.",
    affected: "clients that compare issuer and serial number, once the issuer's certificate is replaced",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match certificate.known.authority_key_id.read() {
        Some(authority) if authority.has_issuer || authority.has_serial => {
            let observed = "it names the issuer's certificate by issuer or serial number";
            Outcome::found(certificate, authority.place.clone(), observed)
        }
        _ => Outcome::Pass,
    }
}
