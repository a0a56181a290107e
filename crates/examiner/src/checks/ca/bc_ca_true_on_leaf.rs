//! The certificate of a server is no CA certificate.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "bc-ca-true-on-leaf",
    severity: Severities::web(Error).private_server(Some(Error)),
    clause: "BR section 7.1.2.7.8",
    expected: "basicConstraints absent, or with cA false",
    remedy: "Have a server certificate issued by the CA; do not serve the CA's own certificate.",
    affected: "rustls (CaUsedAsEndEntity) and Firefox refuse it; whoever takes the server's key can issue certificates",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match certificate.known.basic_constraints.read() {
        Some(constraints) if constraints.is_ca => {
            Outcome::found(certificate, constraints.place.clone(), "basicConstraints says that it is a CA")
        }
        _ => Outcome::Pass,
    }
}
