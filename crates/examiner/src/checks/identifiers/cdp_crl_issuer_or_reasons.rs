//! A distribution point gives an address, and neither another issuer nor reasons.

use super::prelude::*;
use crate::dates::BR_PROFILES;

pub static CHECK: Check = Check {
    id: "cdp-crl-issuer-or-reasons",
    severity: Severities::web(Error).rfc5280(Some(Error)).private_server(Some(Warning)),
    clause: "BR section 7.1.2.11.2, RFC 5280 section 4.2.1.13",
    expected: "a distribution point with fullName alone",
    remedy: "Have it issued again with plain addresses of whole lists.",
    affected: "clients that look up revocation: most know only plain addresses",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let Some(points) = certificate.known.crl_distribution_points.read() else { return Outcome::Pass };
    let strict =
        context.profile == Profile::Web && certificate.not_before.is_none_or(|issued| issued >= BR_PROFILES);
    Outcome::all(points.iter().filter_map(|point| {
        let observed = if point.names.is_empty() && !point.is_relative && point.crl_issuer.is_empty() {
            "the distribution point gives no address"
        } else if strict && !point.crl_issuer.is_empty() {
            "the distribution point names another issuer of lists"
        } else if strict && point.has_reasons {
            "the distribution point is for some reasons only"
        } else if strict && point.is_relative {
            "the distribution point's name is relative to its issuer"
        } else {
            return None;
        };
        Some(Found::new(certificate, point.place.clone(), observed))
    }))
}
