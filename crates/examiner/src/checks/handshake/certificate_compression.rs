//! A host with a long chain compresses it for clients that offer to unpack it.
//!
//! Short chains need no compression: of them nothing is said. What is announced is told and not unpacked.

use super::prelude::*;
use crate::checks::chain::too_many_bytes;
use crate::seen::{Compression, Offer};

/// What browsers unpack at most, as rustls does: 64 kB of certificates.
const MOST_UNPACKED: usize = 64 << 10;

pub static CHECK: Check = Check {
    id: "certificate-compression",
    severity: Severities::all(Notice),
    clause: "RFC 8879 section 4",
    expected: "certificates that are compressed where they are long, and are smaller then",
    remedy: "Turn certificate compression on, or serve fewer and smaller certificates; turn it off where it makes nothing smaller.",
    affected: "browsers, which all offer to unpack: the handshake takes longer than it has to",
    in_force: None,
    consequence_of: &["certificate-unreadable", "chain-duplicate", "chain-unrelated-certificate"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(host) = &chain.host else { return Outcome::Pass };
    let mut seen = host.handshakes().filter(|(_, one)| one.offered == Offer::Tls13);
    match (seen.find_map(|(_, one)| one.compression.as_ref()), too_many_bytes(chain)) {
        (Some(Compression::None), Some(bytes)) => {
            Found::of_host(format!("the host does not compress its certificates, which have {bytes} bytes"))
                .into()
        }
        (Some(Compression::By { algorithm, packed, unpacked }), _) if *unpacked > MOST_UNPACKED => {
            Found::of_host(format!(
                "the host sends {packed} bytes by {algorithm} and announces {unpacked} for what is in them"
            ))
            .affected("clients that unpack no more than 64 kB: they end the handshake")
            .severity(Warning)
            .into()
        }
        (Some(Compression::By { algorithm, packed, unpacked }), _) if packed >= unpacked => {
            Found::of_host(format!("compressed by {algorithm}, {unpacked} bytes have become {packed}")).into()
        }
        _ => Outcome::Pass,
    }
}
