//! The server signs the handshake with the key of its certificate.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "certificate-key-possession-fails",
    severity: Severities::all(Error),
    clause: "RFC 8446 section 4.4.3",
    expected: "a signature that the key in the server's certificate verifies",
    remedy: "Give the server the private key that belongs to its certificate, and load both anew.",
    affected: "every client",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(host) = &chain.host else { return Outcome::Pass };
    match host.handshakes().find(|(_, one)| one.has_key == Some(false)) {
        Some((at, _)) => {
            let observed = format!(
                "the signature of the handshake is not that of the certificate's key, at {}",
                at.address
            );
            Found::of_host(observed).into()
        }
        None => Outcome::Pass,
    }
}
