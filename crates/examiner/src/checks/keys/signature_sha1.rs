//! A signature does not rest on SHA-1, for which collisions can be made.
//!
//! A root's own signature proves nothing and is not looked at.

use super::prelude::*;
use super::shared_algorithms::Hash;

pub static CHECK: Check = Check {
    id: "signature-sha1",
    severity: Severities::all(Error),
    clause: "BR section 7.1.3.2.1",
    expected: "a signature with SHA-256, SHA-384 or SHA-512",
    remedy: "Have the certificate issued again with SHA-256.",
    affected: "browsers, OpenSSL at its default level, rustls, Go: all refuse it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(algorithm) = &certificate.signature_algorithm else { return Outcome::Pass };
    match Hash::of(algorithm) {
        Hash::Sha1 => Outcome::found(certificate, algorithm.place.clone(), "it is signed with SHA-1"),
        _ => Outcome::Pass,
    }
}
