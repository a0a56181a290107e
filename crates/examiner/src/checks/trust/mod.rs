//! Path building and trust.

mod cross_profile_disagreement;
mod interception_root;
mod intermediate_not_ca;
mod nc_violated;
mod path_alternatives;
mod path_loop_or_explosion;
mod path_nonbacktracking_client_fails;
mod path_self_issued_rollover;
mod pathlen_exceeded;
mod policy_tree_empty;
mod root_count_forecast;
mod root_distrust_scheduled;
mod root_key_age_limit;
mod root_not_self_signed_anchor;
mod root_store_constraints;
mod shared_path;
mod shared_roots;
mod signature_invalid;
mod trust_needs_recent_store;
mod trusted_per_store;
mod untrusted_root;

use super::{check::Check, prelude};
pub(super) use shared_roots::{facts, lists, nothing};

/// The checks of this area.
pub static ALL: &[&Check] = &[
    &signature_invalid::CHECK,
    &untrusted_root::CHECK,
    &nc_violated::CHECK,
    &pathlen_exceeded::CHECK,
    &intermediate_not_ca::CHECK,
    &policy_tree_empty::CHECK,
    &path_loop_or_explosion::CHECK,
    &trusted_per_store::CHECK,
    &path_alternatives::CHECK,
    &path_self_issued_rollover::CHECK,
    &root_not_self_signed_anchor::CHECK,
    &path_nonbacktracking_client_fails::CHECK,
    &cross_profile_disagreement::CHECK,
    &interception_root::CHECK,
    &root_distrust_scheduled::CHECK,
    &root_count_forecast::CHECK,
    &root_key_age_limit::CHECK,
    &root_store_constraints::CHECK,
    &trust_needs_recent_store::CHECK,
];
