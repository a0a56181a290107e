//! A CA certificate is not one for OCSP signing too.
//!
//! Its holder could answer for its own issuer, and say that what was revoked is good.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "delegated-responder-ca",
    severity: Severities::all(Warning).on_web(Some(Error)),
    clause: "RFC 6960 section 4.2.2.2, BR section 7.1.2.10.6",
    expected: "extKeyUsage without OCSP signing",
    remedy: "Have the CA certificate issued again without OCSP signing, and this one revoked.",
    affected: "everyone under the same issuer: revocations can be denied",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(INTERMEDIATES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let purposes = certificate.known.extended_key_usage.read();
    match purposes.and_then(|all| all.iter().find(|purpose| purpose.oid == "1.3.6.1.5.5.7.3.9")) {
        Some(purpose) => {
            Outcome::found(certificate, purpose.place.clone(), "a CA certificate lists OCSP signing")
        }
        None => Outcome::Pass,
    }
}
