//! The handshake as far as certificates go, and what a host asks of its clients. All of it rests on what was seen of the
//! host; of a chain out of a file nothing is said.

mod address_does_not_answer;
mod certificate_changes_between_connects;
mod certificate_key_possession_fails;
mod chain_differs_by_address_or_sni;
mod client_auth_requested;
mod client_ca_list_empty_or_huge;
mod client_ca_list_lacks_our_issuer;
mod client_certificate_refused;
mod client_sigalgs_exclude_our_key;
mod handshake_fails;
mod no_tls13;
mod sni_vs_no_sni_certificate;
mod stapling_absent;
mod starttls_not_offered_or_strippable;
mod tls_version_old_only;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[
    &handshake_fails::CHECK,
    &tls_version_old_only::CHECK,
    &no_tls13::CHECK,
    &certificate_key_possession_fails::CHECK,
    &address_does_not_answer::CHECK,
    &chain_differs_by_address_or_sni::CHECK,
    &certificate_changes_between_connects::CHECK,
    &sni_vs_no_sni_certificate::CHECK,
    &stapling_absent::CHECK,
    &starttls_not_offered_or_strippable::CHECK,
    &client_auth_requested::CHECK,
    &client_ca_list_empty_or_huge::CHECK,
    &client_ca_list_lacks_our_issuer::CHECK,
    &client_sigalgs_exclude_our_key::CHECK,
    &client_certificate_refused::CHECK,
];
