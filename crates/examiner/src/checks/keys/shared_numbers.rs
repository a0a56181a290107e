//! Arithmetic for keys: small primes, remainders, Fermat's method. Nothing here is secret, so nothing need take the same
//! time for all.

use num_bigint::BigUint;

/// The primes below a limit, by trial division.
pub(super) fn primes(below: u64) -> impl Iterator<Item = u64> {
    (2..below).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0))
}

/// The remainder of a big-endian number by one below 2^32; four octets at a time, since every RSA key asks for hundreds.
pub(super) fn remainder(number: &[u8], by: u64) -> u64 {
    let (first, words) = number.as_rchunks::<4>();
    let rest = first.iter().fold(0, |rest, octet| (rest * 256 + u64::from(*octet)) % by);
    words.iter().fold(rest, |rest, word| ((rest << 32) | u64::from(u32::from_be_bytes(*word))) % by)
}

/// By Euclid's method. The second may be much longer than the first.
pub(super) fn greatest_common_divisor(a: &BigUint, b: &BigUint) -> BigUint {
    let (mut small, mut large) = (a.clone(), b.clone());
    while small.bits() > 0 {
        (small, large) = (&large % &small, small);
    }
    large
}

/// Tries to write an odd modulus as a difference of two squares; the round in which that worked.
///
/// `a` goes up from the root of the modulus; where a * a - modulus is a square b * b, a - b and a + b are the primes.
pub(super) fn fermat(modulus: &[u8], rounds: usize) -> Option<usize> {
    let modulus = BigUint::from_bytes_be(modulus);
    if modulus.bits() < 16 || !modulus.bit(0) {
        return None;
    }
    let mut a = modulus.sqrt();
    if &a * &a < modulus {
        a += 1u8;
    }
    let mut rest = &a * &a - &modulus;
    for round in 1..=rounds {
        if is_square(&rest) {
            return Some(round);
        }
        // (a + 1)^2 - n is a^2 - n + 2a + 1.
        rest += &a * 2u8 + 1u8;
        a += 1u8;
    }
    None
}

fn is_square(number: &BigUint) -> bool {
    // Squares leave few remainders: these two rule out nine of ten numbers before the root is taken.
    let low = number.iter_u64_digits().next().unwrap_or(0);
    if !matches!(low % 16, 0 | 1 | 4 | 9) {
        return false;
    }
    let by_63 = number.iter_u64_digits().rev().fold(0u64, |rest, digit| {
        // 2^64 leaves 16 divided by 63.
        (rest * 16 + digit % 63) % 63
    });
    if !(0..63u64).any(|root| root * root % 63 == by_63) {
        return false;
    }
    let root = number.sqrt();
    &root * &root == *number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fermat_finds_close_factors_and_no_others() {
        let of = |p: u64, q: u64| fermat(&(p * q).to_be_bytes(), 100);
        assert_eq!(of(1_000_003, 1_000_003), Some(1));
        assert_eq!(of(1_000_003, 1_000_033), Some(1));
        assert_eq!(of(999_983, 1_000_003), Some(1));
        assert_eq!(of(65_537, 4_000_037), None);
    }

    #[test]
    fn remainders_and_divisors_are_those_of_the_numbers() {
        assert_eq!(primes(20).collect::<Vec<_>>(), [2, 3, 5, 7, 11, 13, 17, 19]);
        assert_eq!(remainder(&[1, 0, 1], 751), 65_537 % 751);
        assert_eq!(remainder(&[1, 2, 3, 4, 5, 6, 7], 751), 0x01_02_03_04_05_06_07 % 751);
        let number = |n: u32| BigUint::from(n);
        assert_eq!(greatest_common_divisor(&number(12), &number(90)), number(6));
        assert_eq!(greatest_common_divisor(&number(7), &number(1)), number(1));
    }
}
