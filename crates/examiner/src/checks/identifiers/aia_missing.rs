//! A public certificate says where its issuer's certificate is to be had.

use super::prelude::*;
use crate::dates::{BASELINE, CA_AIA_RECOMMENDED};

pub static CHECK: Check = Check {
    id: "aia-missing",
    severity: Severities::web(Error),
    clause: "BR section 7.1.2.7.6, section 7.1.2.10.3",
    expected: "authorityInfoAccess with caIssuers",
    remedy: "Have it issued again with authorityInfoAccess.",
    affected: "clients that repair incomplete chains: Chrome, Windows, macOS",
    in_force: Some(BASELINE),
    consequence_of: &["certificate-unreadable", "extensions-without-v3", "version-not-3"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if !certificate.known.authority_info_access.is_absent() || certificate.is_self_issued() {
        return Outcome::Pass;
    }
    let place = certificate.extension_place(id::AUTHORITY_INFO_ACCESS);
    let found = Found::new(certificate, place, "it has no authorityInfoAccess");
    // Of a CA's certificate it is only recommended since that day.
    let recommended = certificate.not_before.is_none_or(|issued| issued >= CA_AIA_RECOMMENDED);
    match certificate.role {
        Role::Intermediate if recommended => found.severity(Warning).in_force(CA_AIA_RECOMMENDED).into(),
        _ => found.into(),
    }
}
