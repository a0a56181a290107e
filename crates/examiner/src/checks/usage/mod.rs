//! Key usage and key purposes.

mod eku_any_on_leaf;
mod eku_client_auth_on_public_leaf;
mod eku_critical;
mod eku_empty;
mod eku_forbidden_combination;
mod eku_intermediate_not_server_only;
mod eku_ku_inconsistent;
mod eku_missing_on_intermediate;
mod eku_missing_on_leaf;
pub(super) mod eku_nesting_broken;
mod eku_no_server_auth;
mod eku_on_root;
mod ku_ca_missing_certsign_or_crlsign;
mod ku_certsign_on_leaf;
mod ku_crlsign_on_leaf;
mod ku_empty_or_bad_encoding;
mod ku_no_digital_signature_for_tls13;
mod ku_not_critical;
mod ku_wrong_for_ec;
mod ku_wrong_for_rsa;
mod private_key_usage_period_conflict;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[
    &eku_any_on_leaf::CHECK,
    &eku_client_auth_on_public_leaf::CHECK,
    &eku_critical::CHECK,
    &eku_empty::CHECK,
    &eku_forbidden_combination::CHECK,
    &eku_intermediate_not_server_only::CHECK,
    &eku_ku_inconsistent::CHECK,
    &eku_missing_on_intermediate::CHECK,
    &eku_missing_on_leaf::CHECK,
    &eku_nesting_broken::CHECK,
    &eku_no_server_auth::CHECK,
    &eku_on_root::CHECK,
    &ku_ca_missing_certsign_or_crlsign::CHECK,
    &ku_certsign_on_leaf::CHECK,
    &ku_crlsign_on_leaf::CHECK,
    &ku_empty_or_bad_encoding::CHECK,
    &ku_no_digital_signature_for_tls13::CHECK,
    &ku_not_critical::CHECK,
    &ku_wrong_for_ec::CHECK,
    &ku_wrong_for_rsa::CHECK,
    &private_key_usage_period_conflict::CHECK,
];
