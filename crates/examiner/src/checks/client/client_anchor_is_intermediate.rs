//! A trust anchor for clients is a root.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "client-anchor-is-intermediate",
    severity: Severities::client(Warning),
    clause: "RFC 5280 section 6.1.1",
    expected: "a self-signed CA certificate",
    remedy: "Trust the root, or see that each server in use takes an intermediate as an anchor.",
    affected: "OpenSSL needs partial chains switched on; nginx has no switch for it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let anchors = chain.anchors.iter().flatten().filter(|one| one.is_ca() && !one.is_self_issued());
    Outcome::all(anchors.map(|one| {
        let place = one.place_of(one.fields().issuer, "tbsCertificate.issuer");
        Found::new(one, place, "this anchor has an issuer of its own")
    }))
}
