//! Validity and time.

mod expired;
mod lifetime_too_long;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[&expired::CHECK, &lifetime_too_long::CHECK];
