//! The addresses of authorityInfoAccess are http URIs that the public can reach.
//!
//! Plain http: over TLS, the client would have to verify a chain to get what it needs to verify a chain.

use super::prelude::*;
use super::shared_addresses::{http_host, is_internal};
use crate::chain::extensions::AccessDescription;
use crate::dates::BR_PROFILES;

pub static CHECK: Check = Check {
    id: "aia-not-http-or-internal",
    severity: Severities::web(Error),
    clause: "BR section 7.1.2.7.7",
    expected: "http URIs with a public host name",
    remedy: "Have it issued again with public http addresses.",
    affected: "clients that fetch the issuer or the status: they cannot",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let by_profile = certificate.not_before.is_none_or(|issued| issued >= BR_PROFILES);
    let Some(entries) = certificate.known.authority_info_access.read() else { return Outcome::Pass };
    Outcome::all(entries.iter().filter_map(|entry| {
        if entry.method != AccessDescription::CA_ISSUERS && entry.method != AccessDescription::OCSP {
            return None;
        }
        let found = |observed| Found::new(certificate, entry.location.place.clone(), observed);
        let NameForm::Uri(uri) = &entry.location.form else {
            // Of a server's own certificate `aia-forbidden-method-or-duplicate` tells it.
            let told = certificate.role == Role::EndEntity || !by_profile;
            return (!told)
                .then(|| found(format!("the location is {}", entry.location)).in_force(BR_PROFILES));
        };
        match http_host(uri) {
            None if !by_profile => None,
            None => Some(found(format!("the location is {}", entry.location)).in_force(BR_PROFILES)),
            Some(host) if is_internal(&host) => Some(
                found(format!("the location is {}, which the public cannot reach", entry.location))
                    .severity(Warning),
            ),
            Some(_) => None,
        }
    }))
}
