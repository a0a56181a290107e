//! RSA keys outside the range that the cryptographic library takes: their possession is checked here, so that who
//! shows one is told that the key is weak, not that the signature is wrong. Public values only; nobody is admitted
//! with such a key.

use aws_lc_rs::digest::{self, Algorithm, SHA256, SHA384, SHA512};
use num_bigint::BigUint;
use rustls::SignatureScheme;

/// Bits of the largest modulus that is looked at.
const MOST_BITS: u64 = 16_384;

/// Whether `signature` was made with this RSA key (`modulus`, `exponent` big-endian). RFC 8017 section 8.
pub(crate) fn holds(
    modulus: &[u8],
    exponent: &[u8],
    scheme: SignatureScheme,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let (n, e) = (BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent));
    let bits = n.bits();
    if !(512..=MOST_BITS).contains(&bits) || !(2..=64).contains(&e.bits()) {
        return false;
    }
    let length = bits.div_ceil(8) as usize;
    let s = BigUint::from_bytes_be(signature);
    if signature.len() != length || s >= n {
        return false;
    }
    let encoded = s.modpow(&e, &n);
    let (hash, pss) = match scheme {
        SignatureScheme::RSA_PSS_SHA256 => (&SHA256, true),
        SignatureScheme::RSA_PSS_SHA384 => (&SHA384, true),
        SignatureScheme::RSA_PSS_SHA512 => (&SHA512, true),
        SignatureScheme::RSA_PKCS1_SHA256 => (&SHA256, false),
        SignatureScheme::RSA_PKCS1_SHA384 => (&SHA384, false),
        SignatureScheme::RSA_PKCS1_SHA512 => (&SHA512, false),
        _ => return false,
    };
    if pss {
        let bits = bits - 1;
        padded(&encoded, bits.div_ceil(8) as usize).is_some_and(|em| pss_fits(em, bits, hash, message))
    } else {
        pkcs1(length, hash, message).is_some_and(|expected| padded(&encoded, length) == Some(expected))
    }
}

/// The number in exactly `length` bytes.
fn padded(number: &BigUint, length: usize) -> Option<Vec<u8>> {
    let bytes = number.to_bytes_be();
    let mut out = vec![0; length.checked_sub(bytes.len())?];
    out.extend(bytes);
    Some(out)
}

/// EMSA-PSS-VERIFY with a salt as long as the hash (RFC 8017 section 9.1.2, RFC 8446 section 4.2.3).
fn pss_fits(mut em: Vec<u8>, bits: u64, hash: &'static Algorithm, message: &[u8]) -> bool {
    let size = hash.output_len();
    if em.len() < 2 * size + 2 || em.pop() != Some(0xbc) {
        return false;
    }
    let seal = em.split_off(em.len() - size);
    let spare = (em.len() + size + 1) as u64 * 8 - bits;
    let top = 0xff_u8.checked_shr(spare as u32).unwrap_or(0);
    if em[0] & !top != 0 {
        return false;
    }
    mask(&mut em, &seal, hash);
    em[0] &= top;
    let (zeros, rest) = em.split_at(em.len() - size - 1);
    if zeros.iter().any(|byte| *byte != 0) || rest[0] != 1 {
        return false;
    }
    let mut again = digest::Context::new(hash);
    again.update(&[0; 8]);
    again.update(digest::digest(hash, message).as_ref());
    again.update(&rest[1..]);
    again.finish().as_ref() == seal
}

/// XORs MGF1 of `seed` over `data`.
fn mask(data: &mut [u8], seed: &[u8], hash: &'static Algorithm) {
    for (counter, block) in (0_u32..).zip(data.chunks_mut(hash.output_len())) {
        let mut one = digest::Context::new(hash);
        one.update(seed);
        one.update(&counter.to_be_bytes());
        block.iter_mut().zip(one.finish().as_ref()).for_each(|(byte, mask)| *byte ^= mask);
    }
}

/// EMSA-PKCS1-v1_5 (RFC 8017 section 9.2).
fn pkcs1(length: usize, hash: &'static Algorithm, message: &[u8]) -> Option<Vec<u8>> {
    let size = hash.output_len() as u8;
    let arc = match size {
        32 => 1,
        48 => 2,
        _ => 3,
    };
    let info = [0x30, 17 + size, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, arc, 5, 0, 4, size];
    let tail = info.len() + usize::from(size);
    let fill = length.checked_sub(tail + 3).filter(|fill| *fill >= 8)?;
    let mut em = vec![0, 1];
    em.resize(2 + fill, 0xff);
    em.push(0);
    em.extend(info);
    em.extend(digest::digest(hash, message).as_ref());
    Some(em)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a right signature with the modulus 5^`power` and this exponent is taken. Such a modulus has as many bits
    /// as one likes, and its private exponent is known to everybody.
    fn is_taken(power: u32, e: u128) -> bool {
        let n = BigUint::from(5_u8).pow(power);
        let e = BigUint::from(e);
        let d = e.modinv(&(BigUint::from(4_u8) * BigUint::from(5_u8).pow(power - 1))).unwrap();
        let length = n.bits().div_ceil(8) as usize;
        let encoded = |message: u8| BigUint::from_bytes_be(&pkcs1(length, &SHA256, &[message]).unwrap());
        // What 5 divides has no root.
        let message = (0..).find(|message| encoded(*message) % 5_u8 != BigUint::ZERO).unwrap();
        let encoded = encoded(message);
        let signature = padded(&encoded.modpow(&d, &n), length).unwrap();
        assert_eq!(BigUint::from_bytes_be(&signature).modpow(&e, &n), encoded, "it is right");
        let (n, e) = (n.to_bytes_be(), e.to_bytes_be());
        holds(&n, &e, SignatureScheme::RSA_PKCS1_SHA256, &[message], &signature)
    }

    #[test]
    fn keys_beyond_all_sense_are_not_computed_with() {
        let bits = |power| BigUint::from(5_u8).pow(power).bits();
        assert_eq!((bits(220), bits(221)), (511, 514));
        assert_eq!((is_taken(220, 3), is_taken(221, 3)), (false, true), "512 bit at least");
        let most = (7_000..).take_while(|power| bits(*power) <= MOST_BITS).last().unwrap();
        assert_eq!((is_taken(most, 3), is_taken(most + 1, 3)), (true, false), "{MOST_BITS} bit at most");
        for (e, taken) in [(1, false), (3, true), ((1 << 64) - 3, true), ((1 << 64) + 1, false)] {
            assert_eq!(is_taken(900, e), taken, "e = {e}");
        }
    }
}
