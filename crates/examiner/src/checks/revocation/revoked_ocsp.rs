//! The OCSP response about the end entity says good.

use super::prelude::*;
use super::shared_evidence::told;
use crate::side::Status;

pub static CHECK: Check = Check {
    id: "revoked-ocsp",
    severity: Severities::all(Error),
    clause: "RFC 6960 section 2.2",
    expected: "the status good",
    remedy: "Stop using it: take the replacement into use, or ask the CA why it was revoked.",
    affected: "every client that looks up revocation",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let Some(certificate) = chain.end_entity() else { return Outcome::Pass };
    let told = told(chain).into_iter().filter(|told| told.certificate.index == certificate.index);
    let place = certificate.place_of(certificate.fields().serial, "tbsCertificate.serialNumber");
    Outcome::all(told.filter(|told| told.is_authorised(context.at)).filter_map(|told| {
        let observed = match told.answer.status {
            Status::Good => return None,
            Status::Revoked(since) => format!("it is revoked: since {since}, its responder says"),
            Status::Unknown => "its responder does not know it".into(),
        };
        Some(Found::new(certificate, place.clone(), observed))
    }))
}
