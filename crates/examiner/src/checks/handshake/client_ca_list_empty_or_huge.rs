//! The list of issuers that a host sends with its wish for a client certificate is neither empty nor huge.

use super::prelude::*;

/// Octets of a list that fit into one record; many clients read no more, and the message itself ends at 65,535.
const LARGE: usize = 16_384;

pub static CHECK: Check = Check {
    id: "client-ca-list-empty-or-huge",
    severity: Severities::all(Warning),
    clause: "RFC 8446 section 4.2.4, RFC 5246 section 7.4.4",
    expected: "the names of the few CAs whose certificates are taken",
    remedy: "Name the CAs of your clients alone, in a file of its own (nginx: ssl_client_certificate; Apache: SSLCADNRequestFile; HAProxy: ca-file).",
    affected: "people who have to choose among all their certificates, or clients that cannot read so long a list",
    in_force: None,
    consequence_of: &[],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(asks) = chain.host.as_ref().and_then(|host| host.asks()) else { return Outcome::Pass };
    match asks.issuer_octets {
        0 => Found::of_host("the host asks for a client certificate and names no issuer")
            .severity(Notice)
            .into(),
        octets if octets > LARGE => Found::of_host(format!(
            "the host names {} issuers of client certificates, {octets} bytes",
            asks.issuers.len()
        ))
        .into(),
        _ => Outcome::Pass,
    }
}
