//! Path building and trust.

use super::check::Check;

/// The checks of this area.
pub static ALL: &[&Check] = &[];
