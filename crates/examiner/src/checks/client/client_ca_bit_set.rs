//! A client certificate is no CA certificate.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "client-ca-bit-set",
    severity: Severities::client(Error),
    clause: "RFC 5280 section 4.2.1.9",
    expected: "cA false, or no basicConstraints",
    remedy: "Issue client certificates from the CA, and keep the CA's own certificate for that.",
    affected: "rustls refuses (CaUsedAsEndEntity); others may let it issue",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let first = chain.end_entity().filter(|first| context.profile == Profile::MtlsClient && first.is_ca());
    match first {
        Some(certificate) => {
            let place = certificate.extension_place(id::BASIC_CONSTRAINTS);
            Outcome::found(certificate, place, "basicConstraints says that it is a CA")
        }
        None => Outcome::Pass,
    }
}
