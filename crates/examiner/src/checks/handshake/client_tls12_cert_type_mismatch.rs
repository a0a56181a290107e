//! Up to TLS 1.2, the types of client certificates that a host asks for have the one that is to be shown to it.

use super::prelude::*;
use crate::seen::{Offer, Version};

pub static CHECK: Check = Check {
    id: "client-tls12-cert-type-mismatch",
    severity: Severities::all(Error),
    clause: "RFC 5246 section 7.4.4, RFC 8422 section 5.5",
    expected: "rsa_sign for an RSA key, ecdsa_sign for one on an elliptic curve",
    remedy: "Have the server's owner turn TLS 1.3 on, where there are no such types, or show a certificate with a key of another kind.",
    affected: "clients that go by the list: they do not offer this certificate under TLS 1.2",
    in_force: None,
    consequence_of: &["client-sigalgs-exclude-our-key"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some((host, shown)) = chain.host.as_ref().and_then(|host| Some((host, host.shown.as_ref()?))) else {
        return Outcome::Pass;
    };
    let wanted = if shown.key == "RSA" { "rsa_sign" } else { "ecdsa_sign" };
    let old = host.handshakes().filter(|(_, one)| one.offered == Offer::UpToTls12);
    let mut lists = old.filter_map(|(_, one)| Some(&one.client_certificate.as_ref()?.certificate_types));
    let Some(types) = lists.find(|types| !types.is_empty()) else { return Outcome::Pass };
    if types.iter().any(|one| one == wanted) {
        return Outcome::Pass;
    }
    let found = Found::of_host(format!(
        "under TLS 1.2 the host asks for certificates of the types {}, and an {} key is {wanted}",
        types.join(", "),
        shown.key
    ));
    // Where TLS 1.3 is spoken, today's clients do not meet it.
    match host.newest() {
        Some(Version::Tls13) => found.severity(Warning).into(),
        _ => found.into(),
    }
}
