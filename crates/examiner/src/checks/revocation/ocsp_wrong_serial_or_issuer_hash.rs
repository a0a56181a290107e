//! An OCSP response speaks of a certificate of the chain.
//!
//! The whole serial number counts, and the issuer's name and key.

use super::prelude::*;
use super::shared_evidence::told;

pub static CHECK: Check = Check {
    id: "ocsp-wrong-serial-or-issuer-hash",
    severity: Severities::all(Error),
    clause: "RFC 6960 section 4.1.1",
    expected: "an answer about a certificate of this chain",
    remedy: "Ask the responder about this certificate, with its serial number and its issuer's certificate.",
    affected: "clients that check the status: they do not take the response",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let Some(certificate) = chain.end_entity() else { return Outcome::Pass };
    let told = told(chain);
    Outcome::all(chain.side.responses().filter_map(|response| {
        if told.iter().any(|told| std::ptr::eq(told.response, response)) {
            return None;
        }
        let observed = match response.status {
            0 if chain.issuers_by_name(certificate).next().is_none() => return None,
            0 => "the response speaks of other certificates".to_owned(),
            1 => "the responder found the request malformed".into(),
            2 => "the responder had an error inside".into(),
            3 => "the responder asks to try later".into(),
            5 => "the responder wants a signed request".into(),
            6 => "the responder does not answer for this certificate".into(),
            other => format!("the responder answered with the status {other}"),
        };
        Some(Found::new(certificate, certificate.place(), observed))
    }))
}
