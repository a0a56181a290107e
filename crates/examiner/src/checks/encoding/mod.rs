//! Encoding and structure (X.690, RFC 5280 section 4.1).

mod algid_params_wrong;
mod certificate_unreadable;
mod certificate_very_large;
mod der_default_value_encoded;
mod der_indefinite_or_long_length;
mod der_negative_or_padded_integer;
mod der_not_strict;
mod der_trailing_bytes;
mod duplicate_extension;
mod ecdsa_signature_malformed;
mod empty_extension_sequence;
mod extension_undecodable;
mod extension_wrongly_critical;
mod extensions_without_v3;
mod serial_low_entropy;
mod serial_not_positive;
mod serial_over_20_octets;
mod serial_reused_by_issuer;
mod shared_deviations;
mod signature_alg_mismatch;
mod unique_ids_present;
mod unknown_critical_extension;
mod version_not_3;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[
    &algid_params_wrong::CHECK,
    &certificate_unreadable::CHECK,
    &certificate_very_large::CHECK,
    &der_default_value_encoded::CHECK,
    &der_indefinite_or_long_length::CHECK,
    &der_negative_or_padded_integer::CHECK,
    &der_not_strict::CHECK,
    &der_trailing_bytes::CHECK,
    &duplicate_extension::CHECK,
    &ecdsa_signature_malformed::CHECK,
    &empty_extension_sequence::CHECK,
    &extension_undecodable::CHECK,
    &extension_wrongly_critical::CHECK,
    &extensions_without_v3::CHECK,
    &serial_low_entropy::CHECK,
    &serial_not_positive::CHECK,
    &serial_over_20_octets::CHECK,
    &serial_reused_by_issuer::CHECK,
    &signature_alg_mismatch::CHECK,
    &unique_ids_present::CHECK,
    &unknown_critical_extension::CHECK,
    &version_not_3::CHECK,
];
