//! Only a CA that may sign certificates says how many CAs may follow it.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "pathlen-without-ca-or-certsign",
    severity: Severities::all(Error).mtls_client(Some(Warning)),
    clause: "RFC 5280 section 4.2.1.9",
    expected: "pathLenConstraint only beside cA true and keyCertSign",
    remedy: "Have it issued again without pathLenConstraint, or as the CA certificate that it is to be.",
    affected: "strict clients refuse it",
    in_force: None,
    consequence_of: &["certificate-unreadable", "ku-ca-missing-certsign-or-crlsign"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(constraints) = certificate.known.basic_constraints.read() else { return Outcome::Pass };
    let Some(length) = &constraints.path_length else { return Outcome::Pass };
    let signs = certificate.known.key_usage.read().is_none_or(|usage| usage.has(KeyUsageBits::KEY_CERT_SIGN));
    match (constraints.is_ca, signs) {
        (false, _) => {
            Outcome::found(certificate, length.place.clone(), "it has pathLenConstraint and is no CA")
        }
        (true, false) => Outcome::found(
            certificate,
            length.place.clone(),
            "it has pathLenConstraint and may not sign certificates",
        ),
        (true, true) => Outcome::Pass,
    }
}
