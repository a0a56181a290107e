//! Each issuer with purposes has clientAuth among them.

use super::prelude::*;
use super::shared::{listed, purposes_place};

pub static CHECK: Check = Check {
    id: "client-eku-lost-in-intermediate",
    severity: Severities::client(Error),
    clause: "practice: clients and servers intersect the purposes along the path",
    expected: "TLS Web Client Authentication, any purpose, or no extKeyUsage",
    remedy: "Have it issued under an intermediate that may issue for clients.",
    affected: "servers built on OpenSSL, Go and rustls",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(INTERMEDIATES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let listed = listed(certificate);
    let kept =
        certificate.has_purpose(oid::CLIENT_AUTH) || certificate.has_purpose(oid::ANY_EXTENDED_KEY_USAGE);
    if listed.is_empty() || kept {
        return Outcome::Pass;
    }
    Outcome::found(certificate, purposes_place(certificate), format!("it lists {} alone", listed.join(", ")))
}
