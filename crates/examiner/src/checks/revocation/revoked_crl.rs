//! The end entity is on no revocation list of its issuer that was given.

use super::prelude::*;
use super::shared_evidence::listed;

pub static CHECK: Check = Check {
    id: "revoked-crl",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 6.3",
    expected: "a serial number that the list does not name",
    remedy: "Stop using it: take the replacement into use, or ask the CA why it was revoked.",
    affected: "every client that looks up revocation",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    if chain.side.crls.is_empty() && chain.side.responses().next().is_none() {
        let why = "whether a certificate is revoked: no revocation list and no OCSP response is at hand";
        return Outcome::CannotTell(Needs::List, why.into());
    }
    let Some(certificate) = chain.end_entity() else { return Outcome::Pass };
    if listed(chain, certificate) {
        let place = certificate.place_of(certificate.fields().serial, "tbsCertificate.serialNumber");
        return Outcome::found(certificate, place, "it is revoked: its issuer's list names it");
    }
    Outcome::Pass
}
