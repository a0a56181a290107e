//! The addresses of revocation lists are http URIs.

use super::prelude::*;
use super::shared_addresses::http_host;
use crate::chain::NameAt;
use crate::dates::BR_PROFILES;

pub static CHECK: Check = Check {
    id: "cdp-not-http",
    severity: Severities::web(Error),
    clause: "BR section 7.1.2.11.2",
    expected: "http URIs",
    remedy: "Have it issued again with http addresses of its revocation lists.",
    affected: "clients that look up revocation: they know no other way",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(points) = certificate.known.crl_distribution_points.read() else { return Outcome::Pass };
    let names = || points.iter().flat_map(|point| &point.names);
    let is_http = |name: &NameAt| matches!(&name.form, NameForm::Uri(uri) if http_host(uri).is_some());
    // Before the profiles one http address was enough, whatever stood beside it.
    if certificate.not_before.is_some_and(|issued| issued < BR_PROFILES) {
        return match names().next() {
            Some(first) if !names().any(is_http) => {
                Outcome::found(certificate, first.place.clone(), "none of its addresses is http")
            }
            _ => Outcome::Pass,
        };
    }
    Outcome::all(names().filter(|name| !is_http(name)).map(|name| {
        Found::new(certificate, name.place.clone(), format!("the list is to be had at {name}"))
            .in_force(BR_PROFILES)
    }))
}
