//! An end-entity certificate does not allow its key to sign certificates.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "ku-certsign-on-leaf",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.9",
    expected: "keyUsage without keyCertSign",
    remedy: "Have it issued again without keyCertSign, or as a CA certificate if it is one.",
    affected: "strict clients refuse it; others might take it as a CA",
    in_force: None,
    consequence_of: &["certificate-unreadable", "ku-empty-or-bad-encoding"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(usage) = certificate.known.key_usage.read() else { return Outcome::Pass };
    if usage.has(KeyUsageBits::KEY_CERT_SIGN) && !certificate.is_ca() {
        return Outcome::found(certificate, usage.place.clone(), format!("its key usage is {usage}"));
    }
    Outcome::Pass
}
