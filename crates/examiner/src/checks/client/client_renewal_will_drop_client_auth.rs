//! The next certificate of a public CA will not be for clients.

use super::prelude::*;
use super::shared::{is_public, purposes_place};
use crate::dates::CHROME_LEAVES_SERVER_ONLY;

pub static CHECK: Check = Check {
    id: "client-renewal-will-drop-client-auth",
    severity: Severities::client(Warning),
    clause: "Chrome Root Policy 1.8 section 1.3.2",
    expected: "a client certificate from a private CA",
    remedy: "Before it is renewed, move clients to certificates of a private CA.",
    affected: "clients, on the day it is renewed",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let both = certificate.has_purpose(oid::SERVER_AUTH) && certificate.has_purpose(oid::CLIENT_AUTH);
    if !both || !is_public(certificate) {
        return Outcome::Pass;
    }
    Found::new(certificate, purposes_place(certificate), "a public CA issued it for servers and clients")
        .in_force(CHROME_LEAVES_SERVER_ONLY)
        .likely()
        .into()
}
