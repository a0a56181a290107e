//! Subject alternative names, and whether they match the host.

mod hostname_mismatch;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[&hostname_mismatch::CHECK];
