//! A certificate that asks for a stapled OCSP response gets one.

use super::prelude::*;
use crate::cert::tlv::tag;
use crate::side::Stapled;

pub static CHECK: Check = Check {
    id: "must-staple-without-staple",
    severity: Severities::all(Error).mtls_client(None),
    clause: "RFC 7633 section 4",
    expected: "an OCSP response stapled in every handshake",
    remedy: "Turn on OCSP stapling in the server, or have the certificate issued without the TLS feature.",
    affected: "Firefox and strict clients refuse the connection",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let Some(extension) = certificate.extension(id::TLS_FEATURE) else { return Outcome::Pass };
    let root = extension.tree.as_ref().and_then(|tree| tree.root()).filter(|root| root.is(tag::SEQUENCE));
    let Some(features) = root else {
        return Outcome::found(certificate, extension.place.clone(), "the TLS feature cannot be read");
    };
    // status_request (RFC 6066) and status_request_v2 (RFC 6961).
    if !features.children().any(|feature| matches!(feature.unsigned(), Some(5 | 17))) {
        return Outcome::Pass;
    }
    match context.chain.side.stapled {
        Stapled::Response(_) => Outcome::Pass,
        Stapled::Nothing => Outcome::found(
            certificate,
            extension.place.clone(),
            "it asks for a stapled response, and the server sends none",
        ),
        Stapled::Unknown => Outcome::CannotTell(
            Needs::Network,
            "whether the server staples the OCSP response that the certificate asks for".into(),
        ),
    }
}
