//! Key usage and key purposes.

mod eku_no_server_auth;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[&eku_no_server_auth::CHECK];
