//! OCSP requests (RFC 6960 section 4.1), in the light form of RFC 5019: one certificate, SHA-1 to name its issuer, no
//! nonce, so that caches can answer.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use crate::chain::Examinee;

/// The AlgorithmIdentifier of SHA-1 with its NULL. It names the issuer; nothing rests on it.
const SHA1: &[u8] = &[0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00];
const SEQUENCE: u8 = 0x30;
const OCTET_STRING: u8 = 0x04;
const INTEGER: u8 = 0x02;

/// The DER of a request about a certificate of this issuer; `None` where serial number or key cannot be read.
pub fn ocsp_request(certificate: &Examinee, issuer: &Examinee) -> Option<Vec<u8>> {
    let hashed = |bytes: &[u8]| tlv(OCTET_STRING, &[digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref()]);
    let serial = Some(certificate.serial()).filter(|serial| !serial.is_empty())?;
    let id = tlv(
        SEQUENCE,
        &[SHA1, &hashed(issuer.subject_der()), &hashed(&issuer.key.as_ref()?.bits), &tlv(INTEGER, &[serial])],
    );
    let list = tlv(SEQUENCE, &[&tlv(SEQUENCE, &[&id])]);
    Some(tlv(SEQUENCE, &[&tlv(SEQUENCE, &[&list])]))
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut all = vec![tag];
    match content.len() {
        short @ ..0x80 => all.push(short as u8),
        long => {
            let octets = long.to_be_bytes();
            let octets = &octets[octets.iter().take_while(|octet| **octet == 0).count()..];
            all.push(0x80 | octets.len() as u8);
            all.extend_from_slice(octets);
        }
    }
    all.extend(content);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_as_short_as_they_can_be() {
        assert_eq!(tlv(4, &[&[7; 127]])[..2], [4, 127]);
        assert_eq!(tlv(4, &[&[7; 128]])[..3], [4, 0x81, 128]);
        assert_eq!(tlv(4, &[&[7; 255]])[..3], [4, 0x81, 255]);
        assert_eq!(tlv(4, &[&[7; 256]])[..4], [4, 0x82, 1, 0]);
    }
}
