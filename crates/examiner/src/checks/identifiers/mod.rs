//! Key identifiers, authority information, revocation lists' places.

mod aia_critical;
mod aia_fetched_is_not_issuer;
mod aia_forbidden_method_or_duplicate;
mod aia_missing;
mod aia_no_ca_issuers;
mod aia_not_http_or_internal;
mod aia_url_dead_or_wrong_type;
mod aki_critical;
mod aki_has_issuer_serial;
mod aki_missing;
mod aki_ski_mismatch;
mod cdp_critical;
mod cdp_crl_issuer_or_reasons;
mod cdp_missing;
mod cdp_not_http;
mod other_extension_not_recommended;
mod shared_addresses;
mod ski_critical;
mod ski_missing_on_ca;
mod ski_not_hash_of_key;
mod ski_on_leaf;

use super::{check::Check, prelude};
pub(super) use shared_addresses::{http_host, is_short_lived, names_responder};

/// The checks of this area.
pub static ALL: &[&Check] = &[
    &aia_critical::CHECK,
    &aia_fetched_is_not_issuer::CHECK,
    &aia_forbidden_method_or_duplicate::CHECK,
    &aia_missing::CHECK,
    &aia_no_ca_issuers::CHECK,
    &aia_not_http_or_internal::CHECK,
    &aia_url_dead_or_wrong_type::CHECK,
    &aki_critical::CHECK,
    &aki_has_issuer_serial::CHECK,
    &aki_missing::CHECK,
    &aki_ski_mismatch::CHECK,
    &cdp_critical::CHECK,
    &cdp_crl_issuer_or_reasons::CHECK,
    &cdp_missing::CHECK,
    &cdp_not_http::CHECK,
    &other_extension_not_recommended::CHECK,
    &ski_critical::CHECK,
    &ski_missing_on_ca::CHECK,
    &ski_not_hash_of_key::CHECK,
    &ski_on_leaf::CHECK,
];
