//! A signature is made with RSA or ECDSA and a hash of the SHA-2 family, written as the standards write it.

use super::prelude::*;
use super::shared_algorithms::{Hash, is_listed_pss};

pub static CHECK: Check = Check {
    id: "signature-algorithm-not-allowed",
    severity: Severities::all(Error),
    clause: "BR section 7.1.3.2",
    expected: "RSA or ECDSA with SHA-256, SHA-384 or SHA-512",
    remedy: "Have the certificate issued again with SHA-256.",
    affected: "clients that do not know the algorithm refuse the certificate",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let Some(algorithm) = &certificate.signature_algorithm else { return Outcome::Pass };
    let web = context.profile == Profile::Web;
    let oid = crate::report::shown(&algorithm.oid);
    let observed = match Hash::of(algorithm) {
        Hash::Sha2 | Hash::Sha1 | Hash::Md(_) => return Outcome::Pass,
        Hash::PssSha2 if !web || is_listed_pss(algorithm) => return Outcome::Pass,
        Hash::PssSha2 => "its RSASSA-PSS parameters are none of the three that are allowed".to_owned(),
        Hash::InScheme if !web => return Outcome::Pass,
        Hash::InScheme => format!("the signature algorithm is {oid}, which the public web does not take yet"),
        Hash::Sha224 => "it is signed with SHA-224".into(),
        Hash::Unknown if oid.is_empty() => "the signature algorithm cannot be read".into(),
        Hash::Unknown => format!("the signature algorithm is {oid}"),
    };
    Outcome::found(certificate, algorithm.place.clone(), observed)
}
