//! A public server certificate comes with timestamps: in itself, or in the handshake.

use super::prelude::*;
use crate::checks::client::is_public;
use crate::dates::TIMESTAMP_RULES;
use crate::side::Delivered;

pub static CHECK: Check = Check {
    id: "sct-none",
    severity: Severities::web(Error),
    clause: "Chrome and Apple Certificate Transparency policies, RFC 6962 section 3.3",
    expected: "timestamps of logs, best in the certificate itself",
    remedy: "Ask the CA for a certificate with timestamps in it; all public CAs issue such ones unless told not to.",
    affected: "Chrome, Edge, Safari and Firefox refuse it",
    in_force: Some(TIMESTAMP_RULES[0].from),
    // A precertificate has none yet.
    consequence_of: &["certificate-unreadable", "precert-served-as-certificate"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    if certificate.extension(id::SCT_LIST).is_some() || !is_public(certificate) {
        return Outcome::Pass;
    }
    match &context.chain.side.timestamps {
        Delivered::Sent(_) => Outcome::Pass,
        Delivered::Nothing => Outcome::found(
            certificate,
            certificate.missing("tbsCertificate.extensions"),
            "there are none in the certificate, and the server sends none",
        ),
        Delivered::Unknown => Outcome::CannotTell(
            Needs::Network,
            "whether the server sends timestamps of logs: there are none in the certificate".into(),
        ),
    }
}
