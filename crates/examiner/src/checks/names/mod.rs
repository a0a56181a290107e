//! Subject and issuer names.

mod issuer_empty;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[&issuer_empty::CHECK];
