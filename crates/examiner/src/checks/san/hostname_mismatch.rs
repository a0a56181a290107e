//! A subject alternative name is the host that was asked for.

use super::prelude::*;
use crate::matching::names_peer;

pub static CHECK: Check = Check {
    id: "hostname-mismatch",
    severity: Severities::all(Error),
    clause: "RFC 9525 section 6.3",
    expected: "a subject alternative name that matches",
    remedy: "Have a certificate issued whose subject alternative names list this name, or use a name that it lists.",
    affected: "every client",
    in_force: None,
    consequence_of: &[
        "certificate-unreadable",
        "extension-undecodable",
        "san-missing",
        "chain-leaf-not-first",
        "hostname-matched-only-by-cn",
    ],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let (Some(certificate), Some(host)) = (chain.end_entity(), context.host) else { return Outcome::Pass };
    if names_peer(certificate, host) {
        return Outcome::Pass;
    }
    let listed = match certificate.known.subject_alt_name.read() {
        Some(names) if !names.is_empty() => {
            let shown: Vec<String> = names.iter().take(8).map(ToString::to_string).collect();
            let more = if names.len() > 8 { format!(" and {} more", names.len() - 8) } else { String::new() };
            format!("it is not for {host}, but for {}{more}", shown.join(", "))
        }
        _ => format!("it is not for {host}, and lists no name"),
    };
    Found::new(certificate, certificate.extension_place(id::SUBJECT_ALT_NAME), listed)
        .expected(format!("a subject alternative name that matches {host}"))
        .into()
}
