//! The two signature algorithm fields are the same bytes.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "signature-alg-mismatch",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.1.1.2",
    expected: "what tbsCertificate.signature says",
    remedy: "Have the certificate issued again; nobody may edit one after it was signed.",
    affected: "every client",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let fields = certificate.fields();
    let (Some(inner), Some(outer)) = (fields.inner_signature_algorithm, fields.signature_algorithm) else {
        return Outcome::Pass;
    };
    if inner.element.bytes() == outer.element.bytes() {
        return Outcome::Pass;
    }
    let named = |algorithm: &Option<crate::chain::Algorithm>| {
        algorithm.as_ref().map_or("", |a| a.oid.as_str()).to_owned()
    };
    let (within, without) =
        (named(&certificate.inner_signature_algorithm), named(&certificate.signature_algorithm));
    let observed = if within == without {
        format!("{without} with other parameters than in tbsCertificate.signature")
    } else {
        format!("{without}, and tbsCertificate.signature says {within}")
    };
    Outcome::found(certificate, outer.place, observed)
}
