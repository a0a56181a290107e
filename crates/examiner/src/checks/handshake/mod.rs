//! The handshake as far as certificates go, and what a host asks of its clients. All of it rests on what was seen of the
//! host; of a chain out of a file nothing is said.

mod address_does_not_answer;
mod certificate_changes_between_connects;
mod certificate_compression;
mod certificate_key_possession_fails;
mod chain_differs_by_address_or_sni;
mod chain_differs_rsa_ecdsa;
mod client_auth_requested;
mod client_ca_list_empty_or_huge;
mod client_ca_list_lacks_our_issuer;
mod client_certificate_refused;
mod client_sigalgs_exclude_our_key;
mod client_tls12_cert_type_mismatch;
mod handshake_fails;
mod ku_no_key_encipherment_for_rsa_kx;
mod no_tls13;
mod served_certificate_not_the_file;
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
    &served_certificate_not_the_file::CHECK,
    &chain_differs_rsa_ecdsa::CHECK,
    &sni_vs_no_sni_certificate::CHECK,
    &stapling_absent::CHECK,
    &certificate_compression::CHECK,
    &ku_no_key_encipherment_for_rsa_kx::CHECK,
    &starttls_not_offered_or_strippable::CHECK,
    &client_auth_requested::CHECK,
    &client_ca_list_empty_or_huge::CHECK,
    &client_ca_list_lacks_our_issuer::CHECK,
    &client_sigalgs_exclude_our_key::CHECK,
    &client_tls12_cert_type_mismatch::CHECK,
    &client_certificate_refused::CHECK,
];
