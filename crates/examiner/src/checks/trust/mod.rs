//! Path building and trust.

mod cross_profile_disagreement;
mod intermediate_not_ca;
mod nc_violated;
mod path_alternatives;
mod path_loop_or_explosion;
mod path_nonbacktracking_client_fails;
mod path_self_issued_rollover;
mod pathlen_exceeded;
mod policy_tree_empty;
mod root_not_self_signed_anchor;
mod shared_path;
mod signature_invalid;
mod trusted_per_store;
mod untrusted_root;

use super::{check::Check, prelude};

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
];
