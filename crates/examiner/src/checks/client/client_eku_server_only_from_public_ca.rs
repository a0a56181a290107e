//! A certificate of the public web is for servers; clients get theirs from a private CA.

use super::prelude::*;
use super::shared::{is_public, purposes_place};

pub static CHECK: Check = Check {
    id: "client-eku-server-only-from-public-ca",
    severity: Severities::client(Error),
    clause: "Chrome Root Policy 1.8 section 1.3.2",
    expected: "a certificate for clients, from a private CA",
    remedy: "Issue client certificates from a private CA: public CAs have stopped including clientAuth.",
    affected: "who has used one certificate for serving and for connecting",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let server_only = certificate.has_purpose(oid::SERVER_AUTH) && !certificate.has_purpose(oid::CLIENT_AUTH);
    if !server_only || !is_public(certificate) {
        return Outcome::Pass;
    }
    Outcome::found(certificate, purposes_place(certificate), "a public CA issued it for servers alone")
}
