//! The profile of a CA: constraints, depth, policies.

mod bc_missing_on_ca;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[&bc_missing_on_ca::CHECK];
