//! A public certificate says where its issuer's revocation list is to be had.
//!
//! Server certificates may leave it out where they are short-lived or name an OCSP responder.

use super::prelude::*;
use super::shared_addresses::{is_short_lived, names_responder};
use crate::dates::BASELINE;

pub static CHECK: Check = Check {
    id: "cdp-missing",
    severity: Severities::web(Error),
    clause: "BR section 7.1.2.11.2",
    expected: "cRLDistributionPoints with an http address",
    remedy: "Have it issued again with cRLDistributionPoints.",
    affected: "clients that look up revocation: they find nothing",
    in_force: Some(BASELINE),
    consequence_of: &["certificate-unreadable", "extensions-without-v3", "version-not-3"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if !certificate.known.crl_distribution_points.is_absent() || certificate.is_self_issued() {
        return Outcome::Pass;
    }
    if certificate.role == Role::EndEntity && (is_short_lived(certificate) || names_responder(certificate)) {
        return Outcome::Pass;
    }
    let place = certificate.extension_place(id::CRL_DISTRIBUTION_POINTS);
    Outcome::found(certificate, place, "it has no cRLDistributionPoints")
}
