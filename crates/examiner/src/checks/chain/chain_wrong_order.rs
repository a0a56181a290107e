//! Each certificate stands behind one that it issued.

use super::prelude::*;
use super::shared;

pub static CHECK: Check = Check {
    id: "chain-wrong-order",
    severity: Severities::all(Warning),
    clause: "RFC 8446 section 4.4.2",
    expected: "the server's certificate first, then each certificate behind the one that it issued",
    remedy: "Put the certificates in order: the server's own first, then its issuer, then that one's issuer.",
    affected: "TLS 1.2 clients that hold to the letter, old embedded clients",
    in_force: None,
    consequence_of: &["certificate-unreadable", "chain-leaf-not-first"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    Outcome::all(shared::misordered(chain).into_iter().map(|certificate| {
        let observed = format!("{} stands before the certificate that it issued", certificate.shown_name());
        Found::new(certificate, certificate.place(), observed)
    }))
}
