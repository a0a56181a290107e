//! What the checks of client certificates share.

use super::prelude::*;

/// Where extKeyUsage stands, or would stand.
pub(super) fn purposes_place(certificate: &Examinee) -> Place {
    certificate.extension_place(id::EXTENDED_KEY_USAGE)
}

/// Whether its policies are those of public server certificates (BR section 7.1.6.1).
pub(in crate::checks) fn is_public(certificate: &Examinee) -> bool {
    certificate
        .known
        .policies
        .read()
        .is_some_and(|all| all.iter().any(|policy| policy.oid.starts_with("2.23.140.1.")))
}

/// The purposes that extKeyUsage lists, as people name them; empty where there is none.
pub(super) fn listed(certificate: &Examinee) -> Vec<String> {
    certificate.known.extended_key_usage.read().into_iter().flatten().map(ToString::to_string).collect()
}
