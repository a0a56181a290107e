//! The certificate that was shown to the host is taken.

use super::prelude::*;
use crate::seen::{ShownOutcome, alert};

pub static CHECK: Check = Check {
    id: "client-certificate-refused",
    severity: Severities::all(Error),
    clause: "RFC 8446 sections 4.4.2.4 and 6.2",
    expected: "a connection that stands",
    remedy: "Ask the server's owner, with the alert or the status: it says in the server's log why.",
    affected: "you: this certificate does not get in",
    in_force: None,
    consequence_of: &["client-sigalgs-exclude-our-key"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(shown) = chain.host.as_ref().and_then(|host| host.shown.as_ref()) else { return Outcome::Pass };
    let found = Found::of_host(format!("the shown certificate is not taken: {}", shown.outcome));
    match shown.outcome {
        ShownOutcome::Refused { alert: Some(code) } => match remedy(code) {
            Some(remedy) => found.remedy(remedy).into(),
            None => found.into(),
        },
        ShownOutcome::Refused { alert: None } | ShownOutcome::Failed { .. } => found.into(),
        ShownOutcome::Answered { status: 400 | 401 | 403 | 495 | 496 } => found.likely().into(),
        _ => Outcome::Pass,
    }
}

/// What to do about an alert.
fn remedy(code: u8) -> Option<&'static str> {
    Some(match alert::words(code).map(|_| code)? {
        48 => {
            "Put the intermediates into the file of --cert; else have the server's owner trust your issuer."
        }
        45 => "Renew the certificate, or put the clock right.",
        43 => "Have a certificate issued whose extended key usage includes clientAuth.",
        44 => "Have a new certificate issued: this one is revoked.",
        42 | 116 => {
            "See that the file of --cert holds the whole chain, and that the server trusts its issuer."
        }
        _ => return None,
    })
}
