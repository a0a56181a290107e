//! A client certificate that lives long says where its revocation is told.

use super::prelude::*;
use crate::chain::extensions::AccessDescription;

pub static CHECK: Check = Check {
    id: "client-no-revocation-source",
    severity: Severities::client(Warning),
    clause: "RFC 5280 section 4.2.1.13",
    expected: "a CRL distribution point or an OCSP responder",
    remedy: "Have the CA publish a list and name it, or issue for days instead of months.",
    affected: "servers that look for revocation",
    in_force: None,
    consequence_of: &["certificate-unreadable", "client-version-1"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let (Some(first), Some(last)) = (certificate.not_before, certificate.not_after) else {
        return Outcome::Pass;
    };
    let known = &certificate.known;
    let responder = known
        .authority_info_access
        .read()
        .is_some_and(|all| all.iter().any(|one| one.method == AccessDescription::OCSP));
    let told = responder || certificate.extension(id::CRL_DISTRIBUTION_POINTS).is_some();
    if told || last.seconds() - first.seconds() <= 31 * 86_400 {
        return Outcome::Pass;
    }
    Outcome::found(
        certificate,
        certificate.extension_place(id::CRL_DISTRIBUTION_POINTS),
        "neither a list nor a responder is named",
    )
}
