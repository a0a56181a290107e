//! A public certificate has no extension beside those of its profile.

use super::prelude::*;
/// The extensions that the profiles of subscriber and CA certificates name (BR section 7.1.2).
const PROFILE: &[&str] = &[
    id::SUBJECT_KEY_ID,
    id::KEY_USAGE,
    id::SUBJECT_ALT_NAME,
    id::BASIC_CONSTRAINTS,
    id::NAME_CONSTRAINTS,
    id::CRL_DISTRIBUTION_POINTS,
    id::CERTIFICATE_POLICIES,
    id::POLICY_MAPPINGS,
    id::AUTHORITY_KEY_ID,
    id::POLICY_CONSTRAINTS,
    id::EXTENDED_KEY_USAGE,
    id::INHIBIT_ANY_POLICY,
    id::AUTHORITY_INFO_ACCESS,
    id::SCT_LIST,
    id::PRECERT_POISON,
    id::TLS_FEATURE,
    id::OCSP_NO_CHECK,
    // The organisation's identifier of extended validation (CA/Browser Forum).
    "2.23.140.3.1",
    // The key of an onion service.
    "2.23.140.1.31",
];
use crate::dates::BR_PROFILES;

pub static CHECK: Check = Check {
    id: "other-extension-not-recommended",
    severity: Severities::web(Notice),
    clause: "BR section 7.1.2.11.5",
    expected: "the extensions of the certificate's profile alone",
    remedy: "Ask the CA to leave the extension out.",
    affected: "nobody; each one makes every handshake longer",
    in_force: Some(BR_PROFILES),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let others = certificate.extensions.iter().filter(|extension| !PROFILE.contains(&extension.oid.as_str()));
    // A critical one that is not known is told as such.
    Outcome::all(others.filter(|extension| !extension.is_critical()).map(|extension| {
        let observed = format!("it has the extension {}", crate::report::shown(&extension.oid));
        Found::new(certificate, extension.place.clone(), observed)
    }))
}
