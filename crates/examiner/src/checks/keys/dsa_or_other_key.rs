//! A key is of a kind that TLS peers take, and can be read.

use super::prelude::*;
use super::shared_algorithms::is_ml_dsa;

pub static CHECK: Check = Check {
    id: "dsa-or-other-key",
    severity: Severities::all(Error),
    clause: "BR section 6.1.5, RFC 8446 section 4.2.3",
    expected: "an RSA or elliptic-curve key",
    remedy: "Make a new key, best P-256, and have a new certificate issued for it.",
    affected: "browsers, and every client that does not know the kind",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let Some(key) = &certificate.key else { return Outcome::Pass };
    let web = context.profile == Profile::Web;
    let observed = match (&key.parts, key.algorithm.oid.as_str()) {
        (KeyParts::Wrong, _) => "the key cannot be read as its algorithm asks".to_owned(),
        (KeyParts::Rsa { .. } | KeyParts::Ec { .. }, _) => return Outcome::Pass,
        (KeyParts::Other, "1.2.840.10040.4.1") => "a DSA key".into(),
        // Newer kinds: TLS 1.3 has them, the public web not yet.
        (KeyParts::Other, "1.3.101.112" | "1.3.101.113" | "1.2.840.113549.1.1.10") if !web => {
            return Outcome::Pass;
        }
        (KeyParts::Other, oid) if is_ml_dsa(oid) && !web => return Outcome::Pass,
        (KeyParts::Other, "1.3.101.112") => "an Ed25519 key".into(),
        (KeyParts::Other, "1.3.101.113") => "an Ed448 key".into(),
        (KeyParts::Other, "1.2.840.113549.1.1.10") => "an RSA key bound to RSASSA-PSS".into(),
        (KeyParts::Other, oid) if is_ml_dsa(oid) => "an ML-DSA key".into(),
        (KeyParts::Other, oid) => format!("a key of the kind {}", crate::report::shown(oid)),
    };
    Outcome::found(certificate, key.algorithm.place.clone(), observed)
}
