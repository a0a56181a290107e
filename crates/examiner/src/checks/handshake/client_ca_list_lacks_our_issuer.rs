//! The host's list of issuers names one of those of the certificate that is to be shown to it.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "client-ca-list-lacks-our-issuer",
    severity: Severities::all(Error),
    clause: "RFC 8446 section 4.2.4",
    expected: "an issuer of the shown certificate's chain",
    remedy: "Put the intermediates that lead to a named issuer into the file of --cert; else show a certificate of one of them, or have the server's owner add yours.",
    affected: "browsers and most clients: they do not offer this certificate at all",
    in_force: None,
    consequence_of: &[],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(shown) = chain.host.as_ref().and_then(|host| host.shown.as_ref()) else { return Outcome::Pass };
    match shown.is_issuer_named {
        Some(false) => {
            let issuer = shown.issuers.first().map(String::as_str).unwrap_or_default();
            Found::of_host(format!("the host's list of issuers does not name {issuer}")).into()
        }
        _ => Outcome::Pass,
    }
}
