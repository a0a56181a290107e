//! The chain as served.

mod chain_incomplete;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[&chain_incomplete::CHECK];
