//! The OCSP responder that a certificate names is still in use.

use super::prelude::*;
use crate::chain::extensions::AccessDescription;
use crate::checks::identifiers::http_host;
use crate::dates::ENDED_RESPONDERS;

pub static CHECK: Check = Check {
    id: "ocsp-url-on-ca-that-ended-ocsp",
    severity: Severities::all(Notice),
    clause: "notices of CAs (OCSP is optional since BR 2.0.2)",
    expected: "the address of a responder that answers, or none",
    remedy: "Renew the certificate; turn OCSP stapling off, and let clients use the revocation list.",
    affected: "servers that staple, and clients that insist on OCSP: they wait and get nothing",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let entries = certificate.known.authority_info_access.read().into_iter().flatten();
    Outcome::all(entries.filter(|entry| entry.method == AccessDescription::OCSP).filter_map(|entry| {
        let NameForm::Uri(uri) = &entry.location.form else { return None };
        let host = http_host(uri)?;
        let below = |domain: &str| {
            host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let (_, from, who) = ENDED_RESPONDERS.iter().find(|(domain, ..)| below(domain))?;
        (*from <= context.at).then(|| {
            let observed = format!("{who} turned the responder {} off on {}", entry.location, from.date());
            Found::new(certificate, entry.location.place.clone(), observed)
        })
    }))
}
