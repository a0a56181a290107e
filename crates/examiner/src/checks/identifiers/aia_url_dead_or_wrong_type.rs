//! The address of the issuer's certificate gives it, as DER or certs-only CMS.
//!
//! It is asked only where fetching is allowed.

use super::prelude::*;
use super::shared_addresses::{asked_for_issuer, location};
use crate::side::{Came, Form};

pub static CHECK: Check = Check {
    id: "aia-url-dead-or-wrong-type",
    severity: Severities::all(Warning),
    clause: "RFC 5280 section 4.2.2.1",
    expected: "one certificate in DER, or several in a certs-only CMS message (PKCS#7)",
    remedy: "Tell the CA; until it gives the certificate, serve the full chain, which needs nobody to fetch.",
    affected: "clients that repair incomplete chains: Chrome, Windows, macOS",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    Outcome::all(asked_for_issuer(certificate, context.chain).filter_map(|asked| {
        let observed = match &asked.came {
            Err(why) => format!("{} gave nothing: {why}", asked.url),
            Ok(Came::Certificates { form: Form::Pem, .. }) => {
                format!("{} gave a certificate as PEM", asked.url)
            }
            Ok(_) => return None,
        };
        Some(Found::new(certificate, location(certificate, &asked.url), observed))
    }))
}
