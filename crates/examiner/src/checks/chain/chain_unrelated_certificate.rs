//! Every served certificate is on a way from the server's own to a root.

use super::prelude::*;
use super::shared;

pub static CHECK: Check = Check {
    id: "chain-unrelated-certificate",
    severity: Severities::all(Warning),
    clause: "RFC 8446 section 4.4.2",
    expected: "only certificates that lead from the server's own to a root",
    remedy: "Take the certificate out of the certificate file: nothing that is served was issued by it.",
    affected: "clients with a small limit on the size or the length of the chain",
    in_force: None,
    consequence_of: &["certificate-unreadable", "chain-leaf-not-first", "issuer-subject-bytes-differ"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    Outcome::all(shared::unrelated(chain).into_iter().map(|certificate| {
        let observed = format!("{} issued none of the others", certificate.shown_name());
        let found = Found::new(certificate, certificate.place(), observed);
        // A root above a missing intermediate is related, through what is missing.
        if certificate.is_self_issued() { found.because_of(&["chain-incomplete"]) } else { found }
    }))
}
