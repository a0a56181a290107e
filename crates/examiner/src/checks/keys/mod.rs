//! Keys and signatures.

mod rsa_under_2048;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[&rsa_under_2048::CHECK];
