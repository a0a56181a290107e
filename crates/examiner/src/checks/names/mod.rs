//! Subject and issuer names.

mod attribute_duplicate;
mod attribute_order_or_multivalue_rdn;
mod attribute_placeholder_value;
mod attribute_string_type_wrong;
mod attribute_too_long;
mod attribute_whitespace_or_control;
mod ca_missing_country_org_cn;
mod ca_subject_empty;
mod common_name_many;
mod common_name_not_exact_case_or_form;
mod common_name_not_in_san;
mod common_name_present;
mod country_not_iso;
mod dv_with_identity_attributes;
mod email_in_subject_not_san;
mod ev_missing_attributes;
mod ev_wrong_attributes;
mod issuer_empty;
mod issuer_subject_bytes_differ;
mod organization_id_wrong;
mod organizational_unit_present;
mod ov_iv_missing_attributes;
pub(in crate::checks) mod shared;
mod subject_empty_without_critical_san;
mod text_mojibake_or_html;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[
    &attribute_duplicate::CHECK,
    &attribute_order_or_multivalue_rdn::CHECK,
    &attribute_placeholder_value::CHECK,
    &attribute_string_type_wrong::CHECK,
    &attribute_too_long::CHECK,
    &attribute_whitespace_or_control::CHECK,
    &ca_missing_country_org_cn::CHECK,
    &ca_subject_empty::CHECK,
    &common_name_many::CHECK,
    &common_name_not_exact_case_or_form::CHECK,
    &common_name_not_in_san::CHECK,
    &common_name_present::CHECK,
    &country_not_iso::CHECK,
    &dv_with_identity_attributes::CHECK,
    &email_in_subject_not_san::CHECK,
    &ev_missing_attributes::CHECK,
    &ev_wrong_attributes::CHECK,
    &issuer_empty::CHECK,
    &issuer_subject_bytes_differ::CHECK,
    &organization_id_wrong::CHECK,
    &organizational_unit_present::CHECK,
    &ov_iv_missing_attributes::CHECK,
    &subject_empty_without_critical_san::CHECK,
    &text_mojibake_or_html::CHECK,
];
