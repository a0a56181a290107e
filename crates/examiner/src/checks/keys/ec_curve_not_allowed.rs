//! An elliptic-curve key is on P-256, P-384 or P-521.

use super::prelude::*;
use super::shared_curves::Curve;

pub static CHECK: Check = Check {
    id: "ec-curve-not-allowed",
    severity: Severities::all(Error),
    clause: "BR section 6.1.5",
    expected: "P-256, P-384 or P-521, by its object identifier",
    remedy: "Make a new key on P-256 and have a new certificate issued for it.",
    affected: "browsers, rustls, Go: they know no other curve",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(key) = &certificate.key else { return Outcome::Pass };
    match &key.parts {
        KeyParts::Ec { curve: Some(curve) } if Curve::named(curve).is_none() => {
            Outcome::found(certificate, key.algorithm.place.clone(), format!("the curve is {curve}"))
        }
        KeyParts::Ec { curve: None } if key.algorithm.parameters.is_none() => {
            Outcome::found(certificate, key.algorithm.place.clone(), "the key names no curve")
        }
        _ => Outcome::Pass,
    }
}
