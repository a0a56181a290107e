//! Each timestamp is signed by its log, for this very certificate.

use aws_lc_rs::digest::{SHA256, digest};

use super::prelude::*;
use super::shared::seen;
use crate::path::signature;
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "sct-signature-invalid",
    severity: Severities::web(Error),
    clause: "RFC 6962 section 3.2",
    expected: "a signature of the log over this certificate",
    remedy: "Have the certificate issued again: it is not the one that the log saw, or its timestamp was damaged.",
    affected: "Chrome, Edge, Safari and Firefox, which do not count it",
    in_force: None,
    consequence_of: &["certificate-unreadable", "signature-invalid"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let (_, all) = match seen(certificate, context, "whether the logs signed the timestamps") {
        Ok(known) => known,
        Err(answer) => return answer,
    };
    let known: Vec<_> = all.iter().filter_map(|one| Some((&one.stamp, one.log?))).collect();
    if known.is_empty() {
        return Outcome::Pass;
    }
    // A log signs the certificate and the hash of its issuer's key.
    let issuers = context.chain.issuers_by_name(certificate);
    let issuer = issuers.filter(|issuer| signature::verdict(certificate, issuer) != Some(false));
    let keys: Vec<[u8; 32]> = issuer.filter_map(key_hash).collect();
    if keys.is_empty() && known.iter().any(|(stamp, _)| !stamp.is_sent) {
        return Outcome::CannotTell(
            Needs::Issuer,
            "whether the logs signed the timestamps: they sign the issuer's key too".into(),
        );
    }
    let wrong = known.into_iter().filter(|(stamp, log)| {
        let signed: Vec<Vec<u8>> = match stamp.is_sent {
            true => stamp.signed_of_certificate(certificate).into_iter().collect(),
            false => keys.iter().filter_map(|key| stamp.signed_of_precertificate(certificate, key)).collect(),
        };
        !signed.iter().any(|message| log.verifies(stamp.algorithm, message, &stamp.signature))
    });
    Outcome::all(wrong.map(|(stamp, log)| {
        let observed = format!("the key of {} does not verify its signature", shown(&log.name));
        Found::new(certificate, stamp.place.clone(), observed)
    }))
}

/// SHA-256 of an issuer's subjectPublicKeyInfo.
fn key_hash(issuer: &Examinee) -> Option<[u8; 32]> {
    digest(&SHA256, issuer.fields().spki?.element.bytes()).as_ref().try_into().ok()
}
