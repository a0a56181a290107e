//! Certificate transparency (RFC 6962): the timestamps of logs in a certificate

mod precert_served_as_certificate;
mod sct_list_empty_or_malformed;
mod sct_log_unknown_or_retired;
mod sct_none;
mod sct_operators_not_diverse;
mod sct_signature_invalid;
mod sct_timestamp_future_or_after_expiry;
mod sct_too_few_for_lifetime;
mod shared;
mod static_ct_log_entries;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[
    &precert_served_as_certificate::CHECK,
    &sct_list_empty_or_malformed::CHECK,
    &sct_log_unknown_or_retired::CHECK,
    &sct_none::CHECK,
    &sct_operators_not_diverse::CHECK,
    &sct_signature_invalid::CHECK,
    &sct_timestamp_future_or_after_expiry::CHECK,
    &sct_too_few_for_lifetime::CHECK,
    &static_ct_log_entries::CHECK,
];
