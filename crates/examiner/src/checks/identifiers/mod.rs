//! Key identifiers, authority information, revocation lists' places.

mod aki_ski_mismatch;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[&aki_ski_mismatch::CHECK];
