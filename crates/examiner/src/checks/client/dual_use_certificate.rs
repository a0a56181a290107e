//! A certificate is for serving or for connecting, not for both.

use super::prelude::*;
use super::shared::purposes_place;

pub static CHECK: Check = Check {
    id: "dual-use-certificate",
    severity: Severities::client(Warning),
    clause: "practice",
    expected: "one purpose",
    remedy: "Have one certificate and key for each use.",
    affected: "whoever loses one key loses both",
    in_force: None,
    consequence_of: &["certificate-unreadable", "client-renewal-will-drop-client-auth"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let both = certificate.has_purpose(oid::SERVER_AUTH) && certificate.has_purpose(oid::CLIENT_AUTH);
    if !both {
        return Outcome::Pass;
    }
    Outcome::found(certificate, purposes_place(certificate), "it is for servers and for clients")
}
