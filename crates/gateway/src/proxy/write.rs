//! The header before the first request of an upstream connection: who is there, with the TLS block.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use examiner::Certificate;
use examiner::cert::PublicKey;

use super::{CRC32C, SIGNATURE, crc32c};
use crate::identity::Admitted;

const AUTHORITY: u8 = 0x02;
const SSL: u8 = 0x20;
const SSL_VERSION: u8 = 0x21;
const SSL_CN: u8 = 0x22;
const SSL_CIPHER: u8 = 0x23;
const SSL_SIG_ALG: u8 = 0x24;
const SSL_KEY_ALG: u8 = 0x25;
const SSL_CLIENT_CERT: u8 = 0x28;
/// A longer name or certificate is left out: the whole header has 64 kB.
const MOST_NAME: usize = 1024;
const MOST_CERTIFICATE: usize = 60 * 1024;
/// TLS was used; a certificate was sent on this connection; one was sent in this session.
const TLS: u8 = 0x01;
const CERTIFICATE: u8 = 0x02 | 0x04;

/// The client's connection.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    /// `TLSv1.2` or `TLSv1.3`.
    pub(crate) version: &'static str,
    /// The cipher suite, as OpenSSL names it.
    pub(crate) cipher: String,
}

/// The header of a connection that is made for nobody: `LOCAL`, without addresses.
pub(crate) const OWN: [u8; 16] = *b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

/// The whole header, in HAProxy's order: checksum, host, TLS block. Of an admitted party it holds the common name and
/// the certificate; of nobody neither, and then `verify` is not 0.
pub(crate) fn header(link: &Link, who: Option<Admitted<'_>>, host: &str, own: Option<&Certificate>) -> Bytes {
    let mut header = SIGNATURE.to_vec();
    header.push(0x21);
    addresses(&mut header, link);
    let sum_at = header.len() + 3;
    addition(&mut header, CRC32C, &[0; 4]);
    addition(&mut header, AUTHORITY, host.as_bytes());
    let mut ssl = vec![if who.is_some() { TLS | CERTIFICATE } else { TLS }];
    ssl.extend(u32::from(who.is_none()).to_be_bytes());
    addition(&mut ssl, SSL_VERSION, link.version.as_bytes());
    let name = who.and_then(|who| who.certificate.subject.common_name());
    if let Some(name) = name.filter(|name| name.len() <= MOST_NAME) {
        addition(&mut ssl, SSL_CN, name.as_bytes());
    }
    if let Some(key) = own.and_then(key_name) {
        addition(&mut ssl, SSL_KEY_ALG, key.as_bytes());
    }
    if let Some(signature) = own.and_then(|own| signature_name(&own.der)) {
        addition(&mut ssl, SSL_SIG_ALG, signature.as_bytes());
    }
    addition(&mut ssl, SSL_CIPHER, link.cipher.as_bytes());
    if let Some(who) = who.filter(|who| who.certificate.der.len() <= MOST_CERTIFICATE) {
        addition(&mut ssl, SSL_CLIENT_CERT, &who.certificate.der);
    }
    addition(&mut header, SSL, &ssl);
    // Fits: what could be long was left out.
    let length = (header.len() - 16) as u16;
    header[14..16].copy_from_slice(&length.to_be_bytes());
    let sum = crc32c(&header).to_be_bytes();
    header[sum_at..sum_at + 4].copy_from_slice(&sum);
    header.into()
}

fn addresses(header: &mut Vec<u8>, link: &Link) {
    match (link.from.ip().to_canonical(), link.to.ip().to_canonical()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            header.extend([0x11, 0, 0]);
            header.extend(from.octets());
            header.extend(to.octets());
        }
        (from, to) => {
            let octets = |address: IpAddr| match address {
                IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
                IpAddr::V6(address) => address.octets(),
            };
            header.extend([0x21, 0, 0]);
            header.extend(octets(from));
            header.extend(octets(to));
        }
    }
    header.extend(link.from.port().to_be_bytes());
    header.extend(link.to.port().to_be_bytes());
}

fn addition(to: &mut Vec<u8>, kind: u8, value: &[u8]) {
    to.push(kind);
    to.extend((value.len() as u16).to_be_bytes());
    to.extend(value);
}

/// Kind and size of a key, as HAProxy names them.
fn key_name(own: &Certificate) -> Option<String> {
    Some(match own.public_key {
        PublicKey::Rsa { modulus_bits, .. } => format!("RSA{modulus_bits}"),
        PublicKey::P256 => "EC256".into(),
        PublicKey::P384 => "EC384".into(),
        PublicKey::P521 => "EC521".into(),
        PublicKey::Ed25519 | PublicKey::Other(_) => return None,
    })
}

/// The algorithm of the issuer's signature, as OpenSSL names it: the object identifier behind the to-be-signed part.
fn signature_name(der: &[u8]) -> Option<&'static str> {
    let (_, inside, _) = element(der)?;
    let (_, _, behind) = element(inside)?;
    let (_, algorithm, _) = element(behind)?;
    let (_, oid, _) = element(algorithm)?;
    Some(match oid {
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2] => "ecdsa-with-SHA256",
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3] => "ecdsa-with-SHA384",
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4] => "ecdsa-with-SHA512",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10] => "RSASSA-PSS",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11] => "RSA-SHA256",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12] => "RSA-SHA384",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13] => "RSA-SHA512",
        [0x2b, 0x65, 0x70] => "ED25519",
        _ => return None,
    })
}

/// The first DER element: tag, content, what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// The name that OpenSSL, and so HAProxy, has for a cipher suite.
pub(crate) fn cipher_name(suite: rustls::CipherSuite) -> String {
    let name = suite.as_str().unwrap_or_default();
    match name.strip_prefix("TLS13_") {
        Some(rest) => format!("TLS_{rest}"),
        None => name
            .trim_start_matches("TLS_")
            .replace("_WITH_", "-")
            .replace("AES_", "AES")
            .trim_end_matches(if name.contains("CHACHA20") { "_SHA256" } else { "" })
            .replace('_', "-"),
    }
}

#[cfg(test)]
mod tests {
    use rustls::CipherSuite;
    use testkit::{Leaf, TestCa};

    use super::*;

    fn link() -> Link {
        Link {
            from: "127.0.0.1:49152".parse().unwrap(),
            to: "127.0.0.1:443".parse().unwrap(),
            version: "TLSv1.3",
            cipher: cipher_name(CipherSuite::TLS13_AES_256_GCM_SHA384),
        }
    }

    #[test]
    fn a_cipher_suite_has_openssls_name() {
        for (suite, name) in [
            (CipherSuite::TLS13_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256"),
            (CipherSuite::TLS13_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256"),
            (CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256"),
            (CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384"),
            (CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305"),
        ] {
            assert_eq!(cipher_name(suite), name);
        }
    }

    /// The header that HAProxy 2.6 sends with ssl, cert-cn, ssl-cipher, cert-sig, cert-key, authority and crc32c, with
    /// the client's certificate added inside the TLS block.
    #[test]
    fn the_header_is_haproxys_with_the_certificate_added() {
        let ca = TestCa::new("Test CA");
        let (alice, own) = (ca.issue("alice").facts(), Leaf::server("localhost").issued_by(&ca).facts());
        let who = Admitted { certificate: &alice, issuers: &[], party: "alice" };
        let header = header(&link(), Some(who), "localhost", Some(&own));
        let added = 3 + alice.der.len();
        let mut expected = b"\r\n\r\n\0\r\nQUIT\n\x21\x11".to_vec();
        expected.extend((110 + added as u16).to_be_bytes());
        expected.extend([127, 0, 0, 1, 127, 0, 0, 1, 0xc0, 0x00, 0x01, 0xbb]);
        let sum_at = expected.len() + 3;
        expected.extend([0x03, 0, 4, 0, 0, 0, 0, 0x02, 0, 9]);
        expected.extend(b"localhost");
        expected.push(0x20);
        expected.extend((76 + added as u16).to_be_bytes());
        expected.extend([0x07, 0, 0, 0, 0, 0x21, 0, 7]);
        expected.extend(b"TLSv1.3\x22\0\x05alice\x25\0\x05EC256\x24\0\x11ecdsa-with-SHA256");
        expected.extend(b"\x23\0\x16TLS_AES_256_GCM_SHA384\x28");
        expected.extend((alice.der.len() as u16).to_be_bytes());
        expected.extend(&*alice.der);
        let sum = crc32c(&expected).to_be_bytes();
        expected[sum_at..sum_at + 4].copy_from_slice(&sum);
        assert_eq!(header, expected);
    }

    #[tokio::test]
    async fn nobody_is_told_as_nobody_and_our_own_reader_agrees() {
        let mut link = link();
        link.from = "[2001:db8::7]:5".parse().unwrap();
        let header = header(&link, None, "portal.test", None);
        let ssl = header.windows(8).find(|eight| eight[0] == 0x20 && eight[3] == 0x01).unwrap();
        assert_eq!(ssl[4..], [0, 0, 0, 1], "verify is not 0");
        assert!(header.ends_with(b"\x23\0\x16TLS_AES_256_GCM_SHA384"), "no certificate follows");
        let mut rest = &header[..];
        let ends = super::super::read(&mut rest).await.unwrap().unwrap();
        assert_eq!(
            ends,
            (
                link.from,
                "[::ffff:127.0.0.1]:443"
                    .parse()
                    .map(|to: SocketAddr| { SocketAddr::new(to.ip().to_canonical(), to.port()) })
                    .unwrap()
            )
        );
        assert!(rest.is_empty());
    }
}
