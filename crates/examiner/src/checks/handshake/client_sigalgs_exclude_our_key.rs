//! The host takes signatures of the key that is to be shown to it.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "client-sigalgs-exclude-our-key",
    severity: Severities::all(Error),
    clause: "RFC 8446 section 4.4.2.3",
    expected: "a signature algorithm that fits the shown certificate's key",
    remedy: "Have a certificate issued for a key of another kind, or have the server's owner allow this one.",
    affected: "whoever has a key of this kind: the certificate cannot be shown",
    in_force: None,
    consequence_of: &[],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(shown) = chain.host.as_ref().and_then(|host| host.shown.as_ref()) else { return Outcome::Pass };
    match shown.is_key_taken {
        Some(false) => Found::of_host(format!("the host takes no signature of an {} key", shown.key)).into(),
        _ => Outcome::Pass,
    }
}
