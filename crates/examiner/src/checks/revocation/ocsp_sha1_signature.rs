//! An OCSP response is not signed with SHA-1.
//!
//! SHA-1 may still name the issuer in it; that proves nothing and hurts nothing.

use super::prelude::*;
use super::shared_evidence::told;
use crate::checks::keys::Hash;

pub static CHECK: Check = Check {
    id: "ocsp-sha1-signature",
    severity: Severities::all(Error),
    clause: "BR section 7.1.3.2.1",
    expected: "a signature with SHA-256 or better",
    remedy: "Ask the CA for responses signed with SHA-256.",
    affected: "current clients do not take the response",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    Outcome::all(told(chain).iter().filter_map(|told| {
        let algorithm = told.response.algorithm.as_ref()?;
        matches!(Hash::of(algorithm), Hash::Sha1 | Hash::Md(_)).then(|| {
            Found::new(
                told.certificate,
                told.certificate.place(),
                "the response about it is signed with SHA-1 or older",
            )
        })
    }))
}
