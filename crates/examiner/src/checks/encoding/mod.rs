//! Encoding and structure (X.690, RFC 5280 section 4.1).

mod certificate_unreadable;
mod der_indefinite_or_long_length;
mod extension_undecodable;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] =
    &[&certificate_unreadable::CHECK, &der_indefinite_or_long_length::CHECK, &extension_undecodable::CHECK];
