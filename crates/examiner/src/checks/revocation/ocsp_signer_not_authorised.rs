//! An OCSP response is signed by the issuer, or by a responder that the issuer made one.

use super::prelude::*;
use super::shared_evidence::told;
use crate::side::SignerFault;

pub static CHECK: Check = Check {
    id: "ocsp-signer-not-authorised",
    severity: Severities::all(Error),
    clause: "RFC 6960 section 4.2.2.2",
    expected: "the issuer's signature, or that of a certificate for OCSP signing by the same issuer",
    remedy: "Fetch the response from the responder that the certificate names.",
    affected: "clients that check the status: they do not take the response",
    in_force: None,
    consequence_of: &["certificate-unreadable", "ocsp-sha1-signature"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    Outcome::all(told(chain).iter().filter_map(|told| {
        let observed = match told.signer(context.at).err()? {
            SignerFault::Missing => {
                "the certificate of the response's signer is neither the issuer's nor sent along"
            }
            SignerFault::Signature => "the response's signature does not verify",
            SignerFault::OtherIssuer => "the response's signer was not made a responder by this issuer",
            SignerFault::Purpose => "the response's signer has a certificate that is not for OCSP signing",
            SignerFault::Time => "the response's signer has a certificate that does not hold now",
        };
        Some(Found::new(told.certificate, told.certificate.place(), observed))
    }))
}
