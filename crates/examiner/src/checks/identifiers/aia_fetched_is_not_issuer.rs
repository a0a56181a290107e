//! The certificate at the address of the issuer is the issuer's.

use super::prelude::*;
use super::shared_addresses::{asked_for_issuer, location};
use crate::path::signature::verdict;
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "aia-fetched-is-not-issuer",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.2.1",
    expected: "a certificate whose subject is this one's issuer, and whose key made its signature",
    remedy: "Tell the CA; serve the full chain, which needs nobody to fetch.",
    affected: "clients that repair incomplete chains: Chrome, Windows, macOS",
    in_force: None,
    consequence_of: &["certificate-unreadable", "signature-invalid"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let is_issuer = |one: &Examinee| {
        one.subject_der() == certificate.issuer_der() && verdict(certificate, one) != Some(false)
    };
    Outcome::all(asked_for_issuer(certificate, context.chain).filter_map(|asked| {
        let first = asked.issuers().first()?;
        if asked.issuers().iter().any(is_issuer) {
            return None;
        }
        let observed = match first.subject_der() == certificate.issuer_der() {
            true => format!("{} gives its issuer's name with another key", asked.url),
            false => format!(
                "{} gives the certificate of {}, which did not issue it",
                asked.url,
                shown(&first.shown_name())
            ),
        };
        Some(Found::new(certificate, location(certificate, &asked.url), observed))
    }))
}
