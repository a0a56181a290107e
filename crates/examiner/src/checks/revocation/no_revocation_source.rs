//! A certificate that is not short-lived says where its revocation can be looked up.

use super::prelude::*;
use crate::checks::identifiers::{is_short_lived, names_responder};

pub static CHECK: Check = Check {
    id: "no-revocation-source",
    severity: Severities::web(Warning).private_server(Some(Notice)),
    clause: "BR section 7.1.2.11.2",
    expected: "cRLDistributionPoints, or an OCSP responder",
    remedy: "Have it issued with the address of a revocation list, or for a few days only.",
    affected: "clients that look up revocation: they cannot",
    in_force: None,
    consequence_of: &["certificate-unreadable", "cdp-missing"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let lists = certificate.known.crl_distribution_points.is_absent();
    if !lists || names_responder(certificate) || is_short_lived(certificate) || certificate.is_self_issued() {
        return Outcome::Pass;
    }
    let place = certificate.extension_place(id::CRL_DISTRIBUTION_POINTS);
    Outcome::found(certificate, place, "it names neither a revocation list nor an OCSP responder")
}
