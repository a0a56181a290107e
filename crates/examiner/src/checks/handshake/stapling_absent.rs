//! A server staples the OCSP response of a certificate that names a responder.

use super::prelude::*;
use crate::chain::extensions::AccessDescription;

pub static CHECK: Check = Check {
    id: "stapling-absent",
    severity: Severities::servers(Notice),
    clause: "RFC 6066 section 8",
    expected: "a stapled OCSP response, since the certificate names a responder",
    remedy: "Turn on OCSP stapling in the server (nginx: ssl_stapling on; Apache: SSLUseStapling on).",
    affected: "clients that ask the CA's responder instead: it is slower, and the CA learns who visits",
    in_force: None,
    consequence_of: &["must-staple-without-staple"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(host) = chain.host.as_ref().filter(|host| host.newest().is_some()) else { return Outcome::Pass };
    let access = chain.end_entity().and_then(|first| first.known.authority_info_access.read());
    let names_responder =
        access.is_some_and(|all| all.iter().any(|one| one.method == AccessDescription::OCSP));
    match names_responder && !host.is_stapled() {
        true => Found::of_host("the host staples no OCSP response").into(),
        false => Outcome::Pass,
    }
}
