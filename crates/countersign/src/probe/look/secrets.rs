//! The secrets of a TLS 1.3 handshake as far as a server's first flight needs them (RFC 8446 sections 5.2, 5.3 and 7.1).

use aws_lc_rs::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use aws_lc_rs::digest::{self, digest};
use aws_lc_rs::hmac;

/// What a cipher suite computes with.
struct Suite {
    mac: hmac::Algorithm,
    hash: &'static digest::Algorithm,
    cipher: &'static Algorithm,
}

fn suite(number: u16) -> Option<Suite> {
    let (mac, hash, cipher) = match number {
        0x1301 => (hmac::HMAC_SHA256, &digest::SHA256, &AES_128_GCM),
        0x1302 => (hmac::HMAC_SHA384, &digest::SHA384, &AES_256_GCM),
        0x1303 => (hmac::HMAC_SHA256, &digest::SHA256, &CHACHA20_POLY1305),
        _ => return None,
    };
    Some(Suite { mac, hash, cipher })
}

/// Opens the records of the server's handshake, in their order.
pub struct Opener {
    key: LessSafeKey,
    iv: [u8; 12],
    sequence: u64,
}

impl Opener {
    /// For this suite, the shared secret, and everything said so far: both hellos. `None` for a suite that is not known.
    pub fn new(number: u16, shared: &[u8], said: &[u8]) -> Option<Self> {
        let suite = suite(number)?;
        let zeros = vec![0; suite.hash.output_len()];
        let early = suite.mac(&[], &zeros);
        let derived = suite.expand(&early, "derived", digest(suite.hash, &[]).as_ref(), zeros.len())?;
        let handshake = suite.mac(&derived, shared);
        let said = digest(suite.hash, said);
        let secret = suite.expand(&handshake, "s hs traffic", said.as_ref(), zeros.len())?;
        let key = suite.expand(&secret, "key", &[], suite.cipher.key_len())?;
        let iv = suite.expand(&secret, "iv", &[], 12)?;
        let key = LessSafeKey::new(UnboundKey::new(suite.cipher, &key).ok()?);
        Some(Self { key, iv: iv.try_into().ok()?, sequence: 0 })
    }

    /// The content of a record and its real type; `None` where it does not open.
    pub fn open(&mut self, head: [u8; 5], mut record: Vec<u8>) -> Option<(u8, Vec<u8>)> {
        let mut nonce = self.iv;
        nonce.iter_mut().skip(4).zip(self.sequence.to_be_bytes()).for_each(|(octet, other)| *octet ^= other);
        self.sequence = self.sequence.checked_add(1)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let content = self.key.open_in_place(nonce, Aad::from(head), &mut record).ok()?;
        // Zeros behind the type are padding.
        let end = content.iter().rposition(|octet| *octet != 0)?;
        Some((content[end], content[..end].to_vec()))
    }
}

impl Suite {
    /// HKDF-Extract (RFC 5869 section 2.2); an empty salt is one of zeros.
    fn mac(&self, salt: &[u8], message: &[u8]) -> Vec<u8> {
        hmac::sign(&hmac::Key::new(self.mac, salt), message).as_ref().to_vec()
    }

    /// HKDF-Expand-Label for at most as many octets as the hash has, which is all that is ever wanted here.
    fn expand(&self, secret: &[u8], label: &str, context: &[u8], length: usize) -> Option<Vec<u8>> {
        let mut info = u16::try_from(length).ok()?.to_be_bytes().to_vec();
        for part in [[b"tls13 ", label.as_bytes()].concat().as_slice(), context] {
            info.push(u8::try_from(part.len()).ok()?);
            info.extend(part);
        }
        info.push(1);
        let mut out = self.mac(secret, &info);
        (length <= out.len()).then(|| out.truncate(length))?;
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER_PERMISSIVE;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let text: String = text.split_whitespace().collect();
        HEXLOWER_PERMISSIVE.decode(text.as_bytes()).unwrap()
    }

    /// RFC 8448 section 3: the secrets of a simple handshake.
    #[test]
    fn the_secrets_are_those_of_the_example() {
        let suite = suite(0x1301).unwrap();
        let early = suite.mac(&[], &[0; 32]);
        assert_eq!(early, hex("33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a"));
        let derived = suite.expand(&early, "derived", digest(&digest::SHA256, &[]).as_ref(), 32).unwrap();
        assert_eq!(derived, hex("6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba"));
        let shared = hex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d");
        let handshake = suite.mac(&derived, &shared);
        assert_eq!(handshake, hex("1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac"));
        let secret = hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
        assert_eq!(suite.expand(&secret, "key", &[], 16).unwrap(), hex("3fce516009c21727d0f2e4e86ee403bc"));
        assert_eq!(suite.expand(&secret, "iv", &[], 12).unwrap(), hex("5d313eb2671276ee13000b30"));
    }

    #[test]
    fn a_record_that_was_changed_does_not_open() {
        let mut opener = Opener::new(0x1301, &[1; 32], b"hellos").unwrap();
        assert!(opener.open([23, 3, 3, 0, 32], vec![0; 32]).is_none());
        assert!(Opener::new(0xc02b, &[1; 32], b"hellos").is_none());
    }
}
