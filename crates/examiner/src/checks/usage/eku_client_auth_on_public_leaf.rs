//! A public server certificate does not list clientAuth: Chrome's roots stop it.
//!
//! A warning before the date, since the next certificate will not have it; an error from the date on.

use super::prelude::*;
use crate::dates::CHROME_LEAVES_SERVER_ONLY;

pub static CHECK: Check = Check {
    id: "eku-client-auth-on-public-leaf",
    severity: Severities::web(Warning),
    clause: "Chrome Root Policy 1.8 section 1.3.2",
    expected: "serverAuth alone",
    remedy: "If clients log in with it, get them certificates of a private CA before the next renewal; else ask for serverAuth alone.",
    affected: "mutual TLS with public certificates: it stops at the renewal that loses clientAuth",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(purposes) = certificate.known.extended_key_usage.read() else { return Outcome::Pass };
    let client = purposes.iter().find(|purpose| purpose.oid == oid::CLIENT_AUTH);
    let Some(client) = client.filter(|_| certificate.has_purpose(oid::SERVER_AUTH)) else {
        return Outcome::Pass;
    };
    let found = |observed: String| {
        Found::new(certificate, client.place.clone(), observed).in_force(CHROME_LEAVES_SERVER_ONLY)
    };
    match certificate.not_before {
        Some(issued) if issued >= CHROME_LEAVES_SERVER_ONLY => {
            found("beside serverAuth it lists clientAuth".into()).severity(Error).into()
        }
        _ => found(format!(
            "beside serverAuth it lists clientAuth: renewals from {} on will lose it",
            CHROME_LEAVES_SERVER_ONLY.date()
        ))
        .into(),
    }
}
