//! The profile of a CA: constraints, depth, policies.

mod bc_ca_true_on_leaf;
mod bc_leaf_not_critical;
mod bc_missing_on_ca;
mod bc_not_critical_on_ca;
mod ev_policy_but_not_ev_root;
mod inhibit_any_policy_not_critical;
mod nc_bad_form;
mod nc_empty;
mod nc_min_max_used;
mod nc_not_critical;
mod nc_on_leaf;
mod nc_unsupported_type;
mod nc_violated_by_common_name;
mod nc_wildcard_san_spans_exclusion;
mod pathlen_negative;
mod pathlen_on_root;
mod pathlen_without_ca_or_certsign;
mod policy_constraints_bad;
mod policy_critical;
mod policy_duplicate;
mod policy_many_reserved;
mod policy_mapping_bad;
mod policy_missing_or_not_reserved;
mod policy_notice_text;
mod policy_on_root;
mod policy_qualifier_rules;
mod qc_statements_bad;
mod shared_names;
mod shared_policies;
mod shared_statements;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[
    &bc_ca_true_on_leaf::CHECK,
    &bc_leaf_not_critical::CHECK,
    &bc_missing_on_ca::CHECK,
    &bc_not_critical_on_ca::CHECK,
    &inhibit_any_policy_not_critical::CHECK,
    &nc_bad_form::CHECK,
    &nc_empty::CHECK,
    &nc_min_max_used::CHECK,
    &nc_not_critical::CHECK,
    &nc_on_leaf::CHECK,
    &nc_unsupported_type::CHECK,
    &nc_violated_by_common_name::CHECK,
    &nc_wildcard_san_spans_exclusion::CHECK,
    &pathlen_negative::CHECK,
    &pathlen_on_root::CHECK,
    &pathlen_without_ca_or_certsign::CHECK,
    &policy_constraints_bad::CHECK,
    &policy_critical::CHECK,
    &policy_duplicate::CHECK,
    &policy_many_reserved::CHECK,
    &policy_mapping_bad::CHECK,
    &policy_missing_or_not_reserved::CHECK,
    &policy_notice_text::CHECK,
    &policy_on_root::CHECK,
    &policy_qualifier_rules::CHECK,
    &qc_statements_bad::CHECK,
    &ev_policy_but_not_ev_root::CHECK,
];
