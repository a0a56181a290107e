//! Subject alternative names, and whether they match the host.

mod apex_or_www_not_covered;
mod hostname_matched_only_by_cn;
mod hostname_mismatch;
mod san_arpa_name;
mod san_bare_public_suffix;
mod san_count_large;
mod san_critical_with_subject;
mod san_dns_leading_dot_or_space;
mod san_dns_not_ia5_or_null;
mod san_duplicate;
mod san_empty_or_no_entries;
mod san_forbidden_type;
mod san_idn_homograph;
mod san_idn_invalid;
mod san_internal_or_unknown_tld;
mod san_ip_in_dns_name;
mod san_ip_length_wrong;
mod san_label_syntax;
mod san_missing;
mod san_onion_rules;
mod san_redacted_label;
mod san_reserved_ip;
mod san_underscore;
mod san_uri_or_mailbox_malformed;
mod san_wildcard_bare_or_partial;
mod san_wildcard_not_leftmost;
mod san_wildcard_public_suffix;
mod shared;
mod shared_addresses;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[
    &apex_or_www_not_covered::CHECK,
    &hostname_matched_only_by_cn::CHECK,
    &hostname_mismatch::CHECK,
    &san_arpa_name::CHECK,
    &san_bare_public_suffix::CHECK,
    &san_count_large::CHECK,
    &san_critical_with_subject::CHECK,
    &san_dns_leading_dot_or_space::CHECK,
    &san_dns_not_ia5_or_null::CHECK,
    &san_duplicate::CHECK,
    &san_empty_or_no_entries::CHECK,
    &san_forbidden_type::CHECK,
    &san_idn_homograph::CHECK,
    &san_idn_invalid::CHECK,
    &san_internal_or_unknown_tld::CHECK,
    &san_ip_in_dns_name::CHECK,
    &san_ip_length_wrong::CHECK,
    &san_label_syntax::CHECK,
    &san_missing::CHECK,
    &san_onion_rules::CHECK,
    &san_redacted_label::CHECK,
    &san_reserved_ip::CHECK,
    &san_underscore::CHECK,
    &san_uri_or_mailbox_malformed::CHECK,
    &san_wildcard_bare_or_partial::CHECK,
    &san_wildcard_not_leftmost::CHECK,
    &san_wildcard_public_suffix::CHECK,
];
