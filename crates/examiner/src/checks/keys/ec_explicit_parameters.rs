//! An elliptic-curve key names its curve and does not describe it.
//!
//! Parameters written out let an attacker choose a generator for which he knows the private key (CVE-2020-0601).

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "ec-explicit-parameters",
    severity: Severities::all(Error),
    clause: "RFC 5480 section 2.1.1",
    expected: "the curve's object identifier",
    remedy: "Make the key and the request again with a named curve: `openssl ecparam -name prime256v1 -param_enc named_curve`.",
    affected: "browsers, rustls, Go and current Windows refuse it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(key) = &certificate.key else { return Outcome::Pass };
    match &key.parts {
        KeyParts::Ec { curve: None } if key.algorithm.parameters.is_some() => Outcome::found(
            certificate,
            key.algorithm.place.clone(),
            "the curve is described by explicit parameters",
        ),
        _ => Outcome::Pass,
    }
}
