//! The server's certificate is issued by a CA, not by itself.

use super::prelude::*;
use crate::path::signature::verdict;

pub static CHECK: Check = Check {
    id: "self-signed-leaf",
    severity: Severities::all(Error).private_server(Some(Warning)).mtls_client(Some(Warning)),
    clause: "RFC 5280 section 6.1",
    expected: "a certificate that a CA issued",
    remedy: "Get a certificate from a CA; for a private service make a CA of your own and give it to the clients.",
    affected: "every client that was not told to trust this very certificate",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let Some(first) = chain.end_entity() else { return Outcome::Pass };
    let is_anchor = chain.anchors.iter().flatten().any(|anchor| anchor.der() == first.der());
    // A CA's own certificate out of a file is no server's.
    let is_leaf = first.role == Role::EndEntity && first.is_self_issued();
    if !is_leaf || is_anchor || verdict(first, first) == Some(false) {
        return Outcome::Pass;
    }
    let place = first.place_of(first.fields().issuer, "tbsCertificate.issuer");
    Outcome::found(first, place, "it is issued by itself")
}
