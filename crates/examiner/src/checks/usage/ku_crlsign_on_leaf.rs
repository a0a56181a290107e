//! An end-entity certificate of the public web does not allow its key to sign revocation lists.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "ku-crlsign-on-leaf",
    severity: Severities::web(Error),
    clause: "BR section 7.1.2.7.11",
    expected: "keyUsage without cRLSign",
    remedy: "Have it issued again without cRLSign.",
    affected: "root programmes; clients take it",
    in_force: None,
    consequence_of: &["certificate-unreadable", "ku-empty-or-bad-encoding"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(usage) = certificate.known.key_usage.read() else { return Outcome::Pass };
    if usage.has(KeyUsageBits::CRL_SIGN) && !certificate.is_ca() {
        return Outcome::found(certificate, usage.place.clone(), format!("its key usage is {usage}"));
    }
    Outcome::Pass
}
