//! The addresses of revocation lists are http URIs.

use super::prelude::*;
use super::shared_addresses::http_host;

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
    Outcome::all(points.iter().flat_map(|point| &point.names).filter_map(|name| match &name.form {
        NameForm::Uri(uri) if http_host(uri).is_some() => None,
        _ => Some(Found::new(certificate, name.place.clone(), format!("the list is to be had at {name}"))),
    }))
}
