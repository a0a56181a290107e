//! A ClientHello of our own, for TLS 1.2 and older (RFC 5246 section 7.4.1.2) or for TLS 1.3 (RFC 8446 section 4.1.2), which
//! asks for everything that concerns certificates and takes every kind of key. The server's answer is read, no more.

/// What is put into it.
pub struct Hello<'a> {
    /// The server name; `None` sends none.
    pub servername: Option<&'a str>,
    /// Application protocols; none sends no such extension.
    pub alpn: &'a [&'a [u8]],
    /// Fresh random octets.
    pub random: [u8; 32],
    /// Whose certificates are taken.
    pub keys: Keys,
    /// Whether to offer, for TLS 1.3, to unpack compressed certificates (RFC 8879).
    pub unpacks: bool,
}

/// Kinds of keys that a server's certificate may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Every kind.
    All,
    /// RSA alone.
    Rsa,
    /// Elliptic curves alone.
    Ecdsa,
}

impl Keys {
    /// Whether a suite is offered: one whose server proves itself with such a key.
    fn has_suite(self, suite: u16) -> bool {
        match self {
            Self::All => true,
            Self::Ecdsa => ECDSA_SUITES.contains(&suite),
            Self::Rsa => !ECDSA_SUITES.contains(&suite) && !DSS_SUITES.contains(&suite),
        }
    }

    /// Whether a server may sign so.
    fn has_signature(self, algorithm: u16) -> bool {
        let is_rsa = matches!(algorithm, 0x0804..=0x0806 | 0x0809..=0x080b) || algorithm & 0xff == 1;
        match self {
            Self::All => true,
            Self::Rsa => is_rsa,
            Self::Ecdsa => !is_rsa && algorithm & 0xff != 2,
        }
    }
}

/// Key exchanges with every kind of key, new ones first (IANA TLS Cipher Suites).
const SUITES: [u16; 32] = [
    0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc0ac, 0xc0ad, // ECDHE with GCM, ChaCha20, CCM
    0x009e, 0x009f, 0xccaa, // DHE with RSA
    0xc023, 0xc027, 0xc024, 0xc028, 0xc009, 0xc013, 0xc00a, 0xc014, // ECDHE with CBC
    0x0067, 0x006b, 0x0033, 0x0039, // DHE with CBC
    0x00a2, 0x00a3, 0x0032, // DHE with DSS
    0x009c, 0x009d, 0x003c, 0x002f, 0x0035, 0x000a, // RSA
];
/// Those of them that are for keys on elliptic curves.
const ECDSA_SUITES: [u16; 9] = [0xc02b, 0xc02c, 0xcca9, 0xc0ac, 0xc0ad, 0xc023, 0xc024, 0xc009, 0xc00a];
/// Those of them that are for DSS keys.
const DSS_SUITES: [u16; 3] = [0x00a2, 0x00a3, 0x0032];
/// Groups: X25519, P-256, P-384, P-521, X448, Brainpool, ffdhe2048 to ffdhe4096 (RFC 7919, RFC 8422).
const GROUPS: [u16; 11] =
    [0x001d, 0x0017, 0x0018, 0x0019, 0x001e, 0x001a, 0x001b, 0x001c, 0x0100, 0x0101, 0x0102];
/// Signature algorithms, the weak and the rare ones too: they are to be seen (RFC 5246 section 7.4.1.4.1, RFC 8446
/// section 4.2.3).
const SIGNATURES: [u16; 21] = [
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501,
    0x0601, 0x0301, 0x0303, 0x0201, 0x0203, 0x0202, 0x0402, 0x0101,
];

/// Algorithms that compress certificates, as browsers prefer them: brotli, zlib, zstd (RFC 8879 section 7.3).
const COMPRESSIONS: [u16; 3] = [2, 1, 3];

/// The suites of TLS 1.3 (RFC 8446 appendix B.4).
const SUITES_13: [u16; 3] = [0x1301, 0x1302, 0x1303];

/// Our half of a key (RFC 8446 section 4.2.8).
pub struct Share {
    /// The group.
    pub group: u16,
    /// The public key.
    pub key: Vec<u8>,
}

impl Hello<'_> {
    /// The whole record.
    pub fn record(&self) -> Vec<u8> {
        let suites: Vec<u16> = SUITES.into_iter().filter(|suite| self.keys.has_suite(*suite)).collect();
        // Up to TLS 1.2 the list holds for the signatures in the chain too: it is not cut short.
        self.written(&suites, &[], |out| self.extensions(out, &GROUPS, &SIGNATURES))
    }

    /// The whole record for TLS 1.3 alone, with these halves of keys.
    pub fn record_13(&self, shares: &[Share]) -> Vec<u8> {
        let groups: Vec<u16> = shares.iter().map(|share| share.group).collect();
        // A session's name, though there is none: boxes on the way take it for TLS 1.2 (RFC 8446 appendix D.4).
        self.written(&SUITES_13, &self.random, |out| {
            let signatures: Vec<u16> =
                SIGNATURES.into_iter().filter(|one| self.keys.has_signature(*one)).collect();
            self.extensions(out, &groups, &signatures);
            extension(out, 50, |out| numbers(out, &SIGNATURES)); // signature_algorithms_cert
            if self.unpacks {
                extension(out, 27, |out| {
                    block(out, 1, |out| COMPRESSIONS.iter().for_each(|one| out.extend(one.to_be_bytes())));
                });
            }
            extension(out, 43, |out| out.extend([2, 3, 4])); // supported_versions
            extension(out, 51, |out| {
                block(out, 2, |out| {
                    for share in shares {
                        out.extend(share.group.to_be_bytes());
                        block(out, 2, |out| out.extend(&share.key));
                    }
                });
            });
        })
    }

    fn written(&self, suites: &[u16], session: &[u8], extensions: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend(self.random);
        block(&mut body, 1, |out| out.extend(session));
        block(&mut body, 2, |out| suites.iter().for_each(|one| out.extend(one.to_be_bytes())));
        body.extend([1, 0]); // no compression
        block(&mut body, 2, extensions);
        let mut message = vec![1];
        block(&mut message, 3, |out| out.extend(&body));
        // The version of the first record is the oldest one that everybody reads (RFC 5246 appendix E.1).
        let mut record = vec![22, 3, 1];
        block(&mut record, 2, |out| out.extend(&message));
        record
    }

    fn extensions(&self, out: &mut Vec<u8>, groups: &[u16], signatures: &[u16]) {
        if let Some(name) = self.servername {
            extension(out, 0, |out| {
                block(out, 2, |out| {
                    out.push(0);
                    block(out, 2, |out| out.extend(name.as_bytes()));
                });
            });
        }
        extension(out, 0xff01, |out| out.push(0)); // renegotiation_info (RFC 5746)
        extension(out, 23, |_| {}); // extended_master_secret (RFC 7627)
        extension(out, 10, |out| numbers(out, groups));
        extension(out, 11, |out| out.extend([1, 0])); // uncompressed points
        extension(out, 13, |out| numbers(out, signatures));
        extension(out, 5, |out| out.extend([1, 0, 0, 0, 0])); // status_request: OCSP
        extension(out, 18, |_| {}); // signed_certificate_timestamp
        if !self.alpn.is_empty() {
            extension(out, 16, |out| {
                block(out, 2, |out| self.alpn.iter().for_each(|one| block(out, 1, |out| out.extend(*one))));
            });
        }
    }
}

fn extension(out: &mut Vec<u8>, kind: u16, fill: impl FnOnce(&mut Vec<u8>)) {
    out.extend(kind.to_be_bytes());
    block(out, 2, fill);
}

fn numbers(out: &mut Vec<u8>, all: &[u16]) {
    block(out, 2, |out| all.iter().for_each(|one| out.extend(one.to_be_bytes())));
}

/// What `fill` writes, behind its length in `width` octets. All of it is small: a name has at most 253 octets.
fn block(out: &mut Vec<u8>, width: usize, fill: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend(std::iter::repeat_n(0, width));
    fill(out);
    let length = (out.len() - at - width).to_be_bytes();
    out[at..at + width].copy_from_slice(&length[length.len() - width..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello<'a>(servername: Option<&'a str>, alpn: &'a [&'a [u8]]) -> Hello<'a> {
        Hello { servername, alpn, random: [7; 32], keys: Keys::All, unpacks: false }
    }

    #[test]
    fn every_length_is_that_of_what_follows() {
        let hello = hello(Some("a.example"), &[b"h2"]);
        let record = hello.record();
        assert_eq!(record[..3], [22, 3, 1]);
        assert_eq!(usize::from(u16::from_be_bytes([record[3], record[4]])), record.len() - 5);
        assert_eq!(record[5..7], [1, 0]);
        assert_eq!(usize::from(u16::from_be_bytes([record[7], record[8]])), record.len() - 9);
        let name = record.windows(9).position(|part| part == b"a.example").unwrap();
        // server_name, list, entry: each length counts what is behind it.
        assert_eq!(record[name - 9..name], [0, 0, 0, 14, 0, 12, 0, 0, 9]);
    }

    #[test]
    fn without_a_name_and_without_protocols_neither_is_sent() {
        let bare = hello(None, &[]).record();
        let named = hello(Some("a.example"), &[b"h2"]).record();
        assert_eq!(named.len() - bare.len(), (4 + 5 + 9) + (4 + 2 + 3));
    }

    #[test]
    fn every_suite_and_signature_is_of_one_kind_of_key() {
        for suite in SUITES {
            let kinds = [Keys::Rsa, Keys::Ecdsa].into_iter().filter(|keys| keys.has_suite(suite)).count();
            assert_eq!(kinds, usize::from(!DSS_SUITES.contains(&suite)), "{suite:04x}");
        }
        for signature in SIGNATURES {
            let kinds =
                [Keys::Rsa, Keys::Ecdsa].into_iter().filter(|keys| keys.has_signature(signature)).count();
            let is_dsa = signature & 0xff == 2 && signature >> 8 < 8;
            assert_eq!(kinds, usize::from(!is_dsa), "{signature:04x}");
        }
    }
}
