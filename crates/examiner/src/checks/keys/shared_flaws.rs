//! What lets everybody take an RSA modulus apart, by the modulus alone.

use super::shared_numbers::{fermat, primes, remainder};

/// Rounds that Fermat's method gets.
const ROUNDS: usize = 100;
/// The mark of the broken library is looked for in keys of at least so many bits.
const MARKED_BITS: u64 = 512;

/// The smallest prime factor below 752.
pub(super) fn small_factor(modulus: &[u8]) -> Option<u64> {
    primes(752).find(|prime| remainder(modulus, *prime) == 0)
}

/// The round in which Fermat's method takes it apart: its primes are close to each other then.
pub(super) fn close_primes(modulus: &[u8]) -> Option<usize> {
    fermat(modulus, ROUNDS)
}

/// Whether it has the form that the broken Infineon library made (CVE-2017-15361, "ROCA"): modulo each small prime it is a
/// power of 65537.
pub(super) fn has_roca_form(modulus: &[u8]) -> bool {
    let is_marked = |prime| is_power_of_65537(remainder(modulus, prime), prime);
    modulus.len() as u64 * 8 >= MARKED_BITS && primes(168).skip(1).all(is_marked)
}

/// Why everybody can work out the private key of this modulus (big-endian, without leading zero octets), in words.
pub(crate) fn flaw_of_modulus(modulus: &[u8]) -> Option<String> {
    if let Some(prime) = small_factor(modulus) {
        return Some(format!("its modulus is divisible by {prime}"));
    }
    if let Some(round) = close_primes(modulus) {
        return Some(format!("its primes are too close: Fermat's method takes it apart in round {round}"));
    }
    has_roca_form(modulus).then(|| {
        "its modulus has the form that the broken Infineon library makes (ROCA, CVE-2017-15361)".into()
    })
}

fn is_power_of_65537(remainder: u64, prime: u64) -> bool {
    let base = 65537 % prime;
    let mut power = 1 % prime;
    loop {
        if power == remainder {
            return true;
        }
        power = power * base % prime;
        // Back at the start, or stuck at 0 or 1: every power was seen.
        if power <= 1 {
            return power == remainder;
        }
    }
}
