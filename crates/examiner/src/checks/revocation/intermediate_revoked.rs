//! No CA of the chain is revoked.

use super::prelude::*;
use super::shared_evidence::{listed, told};
use crate::side::Status;

pub static CHECK: Check = Check {
    id: "intermediate-revoked",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 6.3",
    expected: "CA certificates that are not revoked",
    remedy: "Get a certificate from another issuing CA; serve the chain of that one.",
    affected: "every client that looks up revocation; browsers know revoked CAs by lists of their own",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let told = told(chain);
    let issuers = chain.examined().filter(|certificate| certificate.role == Role::Intermediate);
    Outcome::all(issuers.filter_map(|certificate| {
        let by_response = told.iter().find_map(|told| match told.answer.status {
            Status::Revoked(since)
                if told.certificate.index == certificate.index && told.is_authorised(context.at) =>
            {
                Some(format!("it is revoked: since {since}, its responder says"))
            }
            _ => None,
        });
        let by_list =
            || listed(chain, certificate).then(|| "it is revoked: its issuer's list names it".to_owned());
        let place = certificate.place_of(certificate.fields().serial, "tbsCertificate.serialNumber");
        Some(Found::new(certificate, place, by_response.or_else(by_list)?))
    }))
}
