//! The served chain fits into the first flight of a connection.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "chain-bytes-over-initial-window",
    severity: Severities::all(Notice),
    clause: "RFC 6928 section 2",
    expected: "at most 14,600 bytes for the whole handshake message and what is sent along",
    remedy: "Serve fewer or smaller certificates: no root, fewer names, elliptic curve keys.",
    affected: "every client: the handshake takes one more round trip",
    in_force: None,
    consequence_of: &["certificate-unreadable", "chain-duplicate", "chain-unrelated-certificate"],
    run: Run::Chain(run),
};

/// Ten segments of 1,460 bytes.
const WINDOW: usize = 14_600;
/// What goes along in the first flight: ServerHello, extensions, proof, staple.
const BESIDE: usize = 1_000;
/// What the Certificate message adds to each certificate (RFC 8446 section 4.4.2).
const FRAMING: usize = 5;

/// How many bytes the Certificate message has, where it does not fit.
pub(in crate::checks) fn too_many_bytes(chain: &Chain) -> Option<usize> {
    let bytes: usize = chain.served.iter().map(|one| one.der().len() + FRAMING).sum();
    (bytes + BESIDE > WINDOW).then_some(bytes)
}

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let first = chain.end_entity().filter(|_| chain.is_peers);
    match first.zip(too_many_bytes(chain)) {
        Some((first, bytes)) => Outcome::found(first, first.place(), format!("the chain has {bytes} bytes")),
        None => Outcome::Pass,
    }
}
