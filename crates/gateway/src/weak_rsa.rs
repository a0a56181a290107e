//! Possession of RSA keys that are too weak (or too large) to be relied on.
//!
//! The TLS stack's algorithms refuse such keys without looking at the signature, so their holders would only learn that
//! "the handshake failed". Here the signature is checked all the same (RFC 8017 sections 8.1.2 and 8.2.2), for one
//! purpose: to refuse with the true reason. Whoever passes is refused as `weak-key` by every decision.

use aws_lc_rs::digest::{self, Algorithm, digest};
use num_bigint::BigUint;
use rustls::SignatureScheme;

/// The largest modulus that is worked with, in bits: one check stays within milliseconds.
const MOST_BITS: u64 = 16_384;

/// Whether `signature` over `message` was made with the weak RSA key in `public_key` (DER of RSAPublicKey).
///
/// False for a key that is not weak: those are the TLS stack's to judge.
pub(crate) fn verify(spki: &[u8], public_key: &[u8], scheme: SignatureScheme, message: &[u8], signature: &[u8]) -> bool {
    let weak = examiner::PublicKey::from_spki(spki).is_some_and(|key| key.weakness().is_some());
    let Some((modulus, exponent)) = read(public_key).filter(|_| weak) else { return false };
    let bits = modulus.bits();
    if !(512..=MOST_BITS).contains(&bits) || exponent.bits() > 32 || signature.len() as u64 != bits.div_ceil(8) {
        return false;
    }
    let signature = BigUint::from_bytes_be(signature);
    if signature >= modulus {
        return false;
    }
    let encoded = signature.modpow(&exponent, &modulus).to_bytes_be();
    match scheme {
        SignatureScheme::RSA_PSS_SHA256 => pss(&encoded, bits, message, &digest::SHA256),
        SignatureScheme::RSA_PSS_SHA384 => pss(&encoded, bits, message, &digest::SHA384),
        SignatureScheme::RSA_PSS_SHA512 => pss(&encoded, bits, message, &digest::SHA512),
        SignatureScheme::RSA_PKCS1_SHA256 => pkcs1(&encoded, bits, message, &digest::SHA256, 1),
        SignatureScheme::RSA_PKCS1_SHA384 => pkcs1(&encoded, bits, message, &digest::SHA384, 2),
        SignatureScheme::RSA_PKCS1_SHA512 => pkcs1(&encoded, bits, message, &digest::SHA512, 3),
        _ => false,
    }
}

/// Modulus and exponent of an RSAPublicKey (RFC 8017 appendix A.1.1).
fn read(der: &[u8]) -> Option<(BigUint, BigUint)> {
    let (tag, content, rest) = element(der)?;
    let (n_tag, n, after) = element(content)?;
    let (e_tag, e, end) = element(after)?;
    let whole = tag == 0x30 && n_tag == 0x02 && e_tag == 0x02 && rest.is_empty() && end.is_empty();
    whole.then(|| (BigUint::from_bytes_be(n), BigUint::from_bytes_be(e)))
}

/// Tag, content and what follows of a DER element with a length of up to three bytes.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, first) = (*der.first()?, *der.get(1)?);
    let (length, header) = match first {
        0..=0x7f => (usize::from(first), 2),
        0x81..=0x83 => {
            let digits = usize::from(first & 0x7f);
            (der.get(2..2 + digits)?.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), 2 + digits)
        }
        _ => return None,
    };
    Some((tag, der.get(header..header + length)?, &der[header + length..]))
}

/// EMSA-PSS-VERIFY with MGF1 and a salt as long as the hash (RFC 8446 section 4.2.3).
fn pss(encoded: &[u8], modulus_bits: u64, message: &[u8], hash: &'static Algorithm) -> bool {
    let em_bits = modulus_bits as usize - 1;
    let (em_length, h_length) = (em_bits.div_ceil(8), hash.output_len());
    if encoded.len() > em_length || em_length < 2 * h_length + 2 {
        return false;
    }
    let mut em = vec![0; em_length - encoded.len()];
    em.extend_from_slice(encoded);
    let (masked, tail) = em.split_at(em_length - h_length - 1);
    let (h, trailer) = tail.split_at(h_length);
    let unused = 8 * em_length - em_bits;
    if trailer != [0xbc] || unused > 0 && masked[0] >> (8 - unused) != 0 {
        return false;
    }
    let mut db: Vec<u8> = masked.iter().zip(mgf1(h, masked.len(), hash)).map(|(a, b)| a ^ b).collect();
    db[0] &= 0xff >> unused;
    let (padding, salt) = db.split_at(db.len() - h_length);
    let Some((one, zeros)) = padding.split_last() else { return false };
    if *one != 1 || zeros.iter().any(|byte| *byte != 0) {
        return false;
    }
    let again = [&[0; 8][..], digest(hash, message).as_ref(), salt].concat();
    digest(hash, &again).as_ref() == h
}

fn mgf1(seed: &[u8], length: usize, hash: &'static Algorithm) -> Vec<u8> {
    let mut mask = Vec::with_capacity(length + hash.output_len());
    let mut counter = 0u32;
    while mask.len() < length {
        mask.extend_from_slice(digest(hash, &[seed, &counter.to_be_bytes()].concat()).as_ref());
        counter += 1;
    }
    mask.truncate(length);
    mask
}

/// EMSA-PKCS1-v1_5 compared as a whole; `arc` is the last arc of the hash's identifier.
fn pkcs1(encoded: &[u8], modulus_bits: u64, message: &[u8], hash: &'static Algorithm, arc: u8) -> bool {
    let length = modulus_bits.div_ceil(8) as usize;
    let h_length = hash.output_len();
    let info =
        [0x30, 17 + h_length as u8, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, arc, 5, 0, 4, h_length as u8];
    let Some(padding) = length.checked_sub(3 + info.len() + h_length).filter(|padding| *padding >= 8) else {
        return false;
    };
    let expected = [&[1][..], &vec![0xff; padding], &[0], &info, digest(hash, message).as_ref()].concat();
    encoded == expected
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// A key made and a message signed by the real openssl: (SPKI, RSAPublicKey, signature).
    fn signed(bits: &str, padding: &[&str]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let run = |args: &[&str]| {
            let output = Command::new("openssl").current_dir(folder.path()).args(args).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        std::fs::write(folder.path().join("message"), b"hello").unwrap();
        run(&["genrsa", "-out", "key", bits]);
        run(&["rsa", "-in", "key", "-pubout", "-outform", "DER", "-out", "spki"]);
        run(&["rsa", "-in", "key", "-RSAPublicKey_out", "-outform", "DER", "-out", "public"]);
        let sign = ["dgst", "-sha256", "-sign", "key", "-out", "signature"];
        run(&[&sign[..], padding, &["message"]].concat());
        let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
        (read("spki"), read("public"), read("signature"))
    }

    const PSS: &[&str] = &["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"];

    #[test]
    fn a_weak_keys_signature_holds_and_a_changed_one_does_not() {
        for (padding, scheme) in [(PSS, SignatureScheme::RSA_PSS_SHA256), (&[][..], SignatureScheme::RSA_PKCS1_SHA256)] {
            for bits in ["1024", "1031"] {
                let (spki, public, signature) = signed(bits, padding);
                assert!(verify(&spki, &public, scheme, b"hello", &signature), "{bits} {scheme:?}");
                assert!(!verify(&spki, &public, scheme, b"hellp", &signature));
                let mut changed = signature.clone();
                changed[20] ^= 1;
                assert!(!verify(&spki, &public, scheme, b"hello", &changed));
                assert!(!verify(&spki, &public, SignatureScheme::RSA_PSS_SHA512, b"hello", &signature));
                assert!(!verify(&spki, &public, scheme, b"hello", &[]));
                assert!(!verify(&spki, &public, scheme, b"hello", &vec![0; signature.len()]));
            }
        }
    }

    #[test]
    fn a_strong_key_is_none_of_its_business() {
        let (spki, public, signature) = signed("2048", PSS);
        assert!(!verify(&spki, &public, SignatureScheme::RSA_PSS_SHA256, b"hello", &signature));
    }
}
