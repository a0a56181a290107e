//! A client that goes on after the certificate gets a connection.

use super::prelude::*;
use crate::seen::{End, Handshake, alert};

pub static CHECK: Check = Check {
    id: "handshake-fails",
    severity: Severities::all(Error),
    clause: "RFC 8446 section 6",
    expected: "a handshake that comes to its end",
    remedy: "Look at the server's log at this moment; compare its certificate, key, cipher suites and groups.",
    affected: "every client",
    in_force: None,
    consequence_of: &["certificate-unreadable", "certificate-key-possession-fails"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(host) = &chain.host else { return Outcome::Pass };
    // What was not begun is another check's: no address, or a version that is not spoken.
    let begun: Vec<&Handshake> =
        host.handshakes().map(|(_, one)| one).filter(|one| one.version.is_some()).collect();
    let is_any_whole = begun.iter().any(|one| one.end == End::Seen);
    Outcome::all(begun.iter().filter(|one| one.end != End::Seen).enumerate().filter_map(|(i, one)| {
        let version = one.version?;
        let words = match one.end {
            End::Alert { code } => alert::words(code).map(|words| format!(": {words}")),
            _ => None,
        };
        let observed = format!("the handshake of {version} fails: {}{}", one.end, words.unwrap_or_default());
        let found = Found::of_host(observed);
        match (is_any_whole, i) {
            (true, _) => Some(found.severity(Warning).affected(format!("clients that speak {version}"))),
            (false, 0) => Some(found),
            (false, _) => None,
        }
    }))
}
