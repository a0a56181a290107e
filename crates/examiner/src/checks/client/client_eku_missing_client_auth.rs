//! A client certificate lists the purpose clientAuth.

use super::prelude::*;
use super::shared::{listed, purposes_place};

pub static CHECK: Check = Check {
    id: "client-eku-missing-client-auth",
    severity: Severities::client(Error),
    clause: "RFC 5280 section 4.2.1.12",
    expected: "TLS Web Client Authentication (1.3.6.1.5.5.7.3.2) among the purposes",
    remedy: "Ask the issuer for a certificate whose extended key usage includes clientAuth.",
    affected: "every server that verifies client certificates",
    in_force: None,
    consequence_of: &[
        "certificate-unreadable",
        "extension-undecodable",
        "client-eku-server-only-from-public-ca",
        "client-version-1",
    ],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let listed = listed(certificate);
    let other =
        certificate.has_purpose(oid::CLIENT_AUTH) || certificate.has_purpose(oid::ANY_EXTENDED_KEY_USAGE);
    if listed.is_empty() || other {
        return Outcome::Pass;
    }
    Outcome::found(certificate, purposes_place(certificate), format!("it lists {} alone", listed.join(", ")))
}
