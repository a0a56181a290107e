//! The next intermediate of a public CA will not be for clients.

use super::prelude::*;
use super::shared::{is_public, purposes_place};
use crate::dates::CHROME_INTERMEDIATES_SERVER_ONLY;

pub static CHECK: Check = Check {
    id: "client-public-ca-intermediate-loses-eku",
    severity: Severities::client(Warning),
    clause: "Chrome Root Policy 1.8 section 1.3.2",
    expected: "an issuing CA that is for clients, under a private root",
    remedy: "Before the CA changes its intermediate, move clients to certificates of a private CA.",
    affected: "clients, as soon as their certificates come from the next intermediate",
    in_force: None,
    consequence_of: &["certificate-unreadable", "client-eku-lost-in-intermediate"],
    run: Run::Certificate(INTERMEDIATES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if !is_public(certificate) || !certificate.has_purpose(oid::CLIENT_AUTH) {
        return Outcome::Pass;
    }
    let from = CHROME_INTERMEDIATES_SERVER_ONLY;
    let observed =
        format!("a public CA's intermediate for clients: those made from {} on are not", from.date());
    Found::new(certificate, purposes_place(certificate), observed).in_force(from).likely().into()
}
