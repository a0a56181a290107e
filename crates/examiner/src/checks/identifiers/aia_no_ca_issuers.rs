//! authorityInfoAccess says where the issuer's certificate is to be had.

use super::prelude::*;
use crate::chain::extensions::AccessDescription;

pub static CHECK: Check = Check {
    id: "aia-no-ca-issuers",
    severity: Severities::web(Warning),
    clause: "BR section 7.1.2.7.7",
    expected: "an entry caIssuers",
    remedy: "Have it issued again with caIssuers in authorityInfoAccess.",
    affected: "clients that repair incomplete chains: Chrome, Windows, macOS",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(entries) = certificate.known.authority_info_access.read() else { return Outcome::Pass };
    if entries.iter().any(|entry| entry.method == AccessDescription::CA_ISSUERS) {
        return Outcome::Pass;
    }
    let place = certificate.extension_place(id::AUTHORITY_INFO_ACCESS);
    Outcome::found(certificate, place, "authorityInfoAccess has no caIssuers")
}
