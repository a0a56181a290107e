//! A responder's certificate is for that alone and need not be looked up itself.

use super::prelude::*;
use super::shared_evidence::told;

pub static CHECK: Check = Check {
    id: "ocsp-responder-profile",
    severity: Severities::all(Warning).on_web(Some(Error)),
    clause: "BR section 7.1.2.8, RFC 6960 section 4.2.2.2.1",
    expected: "no CA; digitalSignature; OCSP signing alone; id-pkix-ocsp-nocheck",
    remedy: "Have the CA issue the responder's certificate again.",
    affected: "clients that check the status: some go round in circles or do not take the response",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    Outcome::all(told(chain).iter().filter_map(|told| {
        let signer =
            told.signer(context.at).ok().filter(|signer| signer.thumbprint != told.issuer.thumbprint)?;
        let purposes = signer.known.extended_key_usage.read().map_or(0, Vec::len);
        let observed = if signer.is_ca() {
            "is a CA"
        } else if signer.known.key_usage.read().is_none_or(|u| !u.has(KeyUsageBits::DIGITAL_SIGNATURE)) {
            "may not sign by its key usage"
        } else if purposes != 1 {
            "is for more than OCSP signing"
        } else if signer.extension(id::OCSP_NO_CHECK).is_none() {
            "has no id-pkix-ocsp-nocheck"
        } else {
            return None;
        };
        let observed = format!("the certificate of the response's signer {observed}");
        Some(Found::new(told.certificate, told.certificate.place(), observed))
    }))
}
