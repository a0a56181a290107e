//! Path building and trust.

mod signature_invalid;
mod untrusted_root;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[&signature_invalid::CHECK, &untrusted_root::CHECK];
