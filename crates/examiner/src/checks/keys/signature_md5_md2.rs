//! A signature does not rest on MD2, MD4 or MD5, for which collisions are cheap.

use super::prelude::*;
use super::shared_algorithms::Hash;

pub static CHECK: Check = Check {
    id: "signature-md5-md2",
    severity: Severities::all(Error),
    clause: "RFC 6151",
    expected: "a signature with SHA-256, SHA-384 or SHA-512",
    remedy: "Have the certificate issued again with SHA-256.",
    affected: "every client of the last ten years refuses it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(algorithm) = &certificate.signature_algorithm else { return Outcome::Pass };
    match Hash::of(algorithm) {
        Hash::Md(name) => {
            Outcome::found(certificate, algorithm.place.clone(), format!("it is signed with {name}"))
        }
        _ => Outcome::Pass,
    }
}
