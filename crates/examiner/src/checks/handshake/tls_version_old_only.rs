//! A host speaks TLS 1.2 or newer.

use super::prelude::*;
use crate::seen::Version;

pub static CHECK: Check = Check {
    id: "tls-version-old-only",
    severity: Severities::all(Error),
    clause: "RFC 8996 section 2",
    expected: "TLS 1.2 and TLS 1.3",
    remedy: "Turn TLS 1.2 and TLS 1.3 on in the server, and the older versions off; update its TLS library if it knows neither.",
    affected: "today's browsers and libraries: they refuse the connection",
    in_force: None,
    consequence_of: &[],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    match chain.host.as_ref().and_then(|host| host.newest()) {
        Some(version) if version < Version::Tls12 => {
            Found::of_host(format!("the host speaks {version} and nothing newer")).into()
        }
        _ => Outcome::Pass,
    }
}
