//! Keys and signatures.

mod debian_weak_key;
mod dsa_or_other_key;
mod ec_curve_not_allowed;
mod ec_explicit_parameters;
mod ec_point_invalid_or_compressed;
mod ecdsa_hash_not_matching_curve;
mod known_compromised_key;
mod pq_readiness;
mod rsa_close_primes;
mod rsa_exponent_one_even_small;
mod rsa_exponent_out_of_range;
mod rsa_not_multiple_of_8;
mod rsa_roca;
mod rsa_small_factor_or_even;
mod rsa_under_2048;
mod rsa_very_large;
mod shared_algorithms;
mod shared_curves;
mod shared_flaws;
mod shared_key_across_inputs;
mod shared_lists;
mod shared_numbers;
mod signature_algorithm_not_allowed;
mod signature_md5_md2;
mod signature_sha1;
mod weaker_issuer_than_leaf;

use super::{check::Check, prelude};
pub(super) use shared_algorithms::Hash;
pub(crate) use shared_flaws::flaw_of_modulus;

/// The checks of this area.
pub static ALL: &[&Check] = &[
    &debian_weak_key::CHECK,
    &dsa_or_other_key::CHECK,
    &ec_curve_not_allowed::CHECK,
    &ec_explicit_parameters::CHECK,
    &ec_point_invalid_or_compressed::CHECK,
    &ecdsa_hash_not_matching_curve::CHECK,
    &known_compromised_key::CHECK,
    &pq_readiness::CHECK,
    &rsa_close_primes::CHECK,
    &rsa_exponent_one_even_small::CHECK,
    &rsa_exponent_out_of_range::CHECK,
    &rsa_not_multiple_of_8::CHECK,
    &rsa_roca::CHECK,
    &rsa_small_factor_or_even::CHECK,
    &rsa_under_2048::CHECK,
    &rsa_very_large::CHECK,
    &shared_key_across_inputs::CHECK,
    &signature_algorithm_not_allowed::CHECK,
    &signature_md5_md2::CHECK,
    &signature_sha1::CHECK,
    &weaker_issuer_than_leaf::CHECK,
];
