//! The chain as served.

mod chain_bytes_over_initial_window;
mod chain_contains_root;
mod chain_duplicate;
mod chain_expired_extra;
mod chain_incomplete;
mod chain_leaf_not_first;
mod chain_legacy_cross_sign;
mod chain_suggested_minimal;
mod chain_too_long;
mod chain_unrelated_certificate;
mod chain_wrong_order;
mod self_signed_leaf;
pub(crate) mod shared;

use super::{check::Check, prelude};
pub(super) use chain_bytes_over_initial_window::too_many_bytes;

/// The checks of this area.
pub static ALL: &[&Check] = &[
    &chain_incomplete::CHECK,
    &chain_leaf_not_first::CHECK,
    &chain_wrong_order::CHECK,
    &chain_contains_root::CHECK,
    &chain_duplicate::CHECK,
    &chain_unrelated_certificate::CHECK,
    &chain_expired_extra::CHECK,
    &chain_legacy_cross_sign::CHECK,
    &chain_too_long::CHECK,
    &chain_bytes_over_initial_window::CHECK,
    &self_signed_leaf::CHECK,
    &chain_suggested_minimal::CHECK,
];
