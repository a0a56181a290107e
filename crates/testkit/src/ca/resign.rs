//! A finished certificate changed at its signature: signed again with SHA-1, or broken.

use super::TestKey;

const RSA_WITH_SHA1: &[u8] = &[0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5, 5, 0];
const ECDSA_WITH_SHA1: &[u8] = &[0x30, 9, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1];

/// The same certificate signed with SHA-1 by `issuer` (RSA or ECDSA), by the real openssl.
pub(super) fn with_sha1(certificate: &[u8], issuer: &TestKey) -> Vec<u8> {
    let algorithm = if issuer.is_rsa() { RSA_WITH_SHA1 } else { ECDSA_WITH_SHA1 };
    let parts = children(certificate);
    let mut fields = children(parts[0]);
    // version, serialNumber, signature, …: the algorithm is named inside and outside (RFC 5280 section 4.1.1.2).
    fields[2] = algorithm;
    let tbs = element(0x30, &fields.concat());
    let mut bits = vec![0];
    bits.extend(issuer.sign_by_openssl("sha1", &tbs));
    element(0x30, &[tbs.as_slice(), algorithm, &element(0x03, &bits)].concat())
}

/// The same certificate with one bit of its signature turned.
pub(super) fn with_broken_signature(certificate: &[u8]) -> Vec<u8> {
    let mut broken = certificate.to_vec();
    if let Some(last) = broken.last_mut() {
        *last ^= 1;
    }
    broken
}

/// The elements inside a constructed one, each with its own header.
fn children(outer: &[u8]) -> Vec<&[u8]> {
    let (header, length) = header(outer);
    let mut rest = &outer[header..header + length];
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (header, length) = self::header(rest);
        let (one, more) = rest.split_at(header + length);
        found.push(one);
        rest = more;
    }
    found
}

/// Length of the header and of the content of the first element.
fn header(der: &[u8]) -> (usize, usize) {
    match der[1] {
        short @ 0..=0x7f => (2, usize::from(short)),
        long => {
            let count = usize::from(long & 0x7f);
            (2 + count, der[2..2 + count].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
        }
    }
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = vec![tag];
    match content.len() {
        length @ 0..=0x7f => der.push(length as u8),
        length => {
            let bytes: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            der.push(0x80 | bytes.len() as u8);
            der.extend(bytes);
        }
    }
    der.extend(content);
    der
}
