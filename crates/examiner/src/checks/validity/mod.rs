//! Validity and time.

mod backdated_against_sct;
mod chain_expires_before_leaf;
mod expired;
mod expires_soon_relative;
mod issuance_forecast;
mod lifetime_at_the_limit;
mod lifetime_too_long;
mod not_yet_valid;
mod root_expired_but_anchor;
mod root_validity_out_of_range;
mod shared_dates;
mod time_form_wrong_for_year;
mod time_not_zulu_or_no_seconds;
mod validation_reuse_forecast;
mod validity_not_positive;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[
    &backdated_against_sct::CHECK,
    &chain_expires_before_leaf::CHECK,
    &expired::CHECK,
    &expires_soon_relative::CHECK,
    &issuance_forecast::CHECK,
    &lifetime_at_the_limit::CHECK,
    &lifetime_too_long::CHECK,
    &not_yet_valid::CHECK,
    &root_expired_but_anchor::CHECK,
    &root_validity_out_of_range::CHECK,
    &time_form_wrong_for_year::CHECK,
    &time_not_zulu_or_no_seconds::CHECK,
    &validation_reuse_forecast::CHECK,
    &validity_not_positive::CHECK,
];
