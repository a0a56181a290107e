//! A server's first flight under TLS 1.3, opened up to its certificates: what a library does not hand out (timestamps of
//! logs), or does not take (RFC 8446 sections 4.1 to 4.4).
//!
//! Keys are agreed on to read, and for nothing else: no message follows the hello, and nothing that is read is verified.

use aws_lc_rs::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use aws_lc_rs::rand::SystemRandom;
use examiner::seen::{End, Version};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::flight::{Flight, MOST_CERTIFICATES, Packed, Reader};
use super::hello::{Hello, Share};
use super::secrets::Opener;
use super::wire::{Message, Messages, unreadable};

/// The random octets of a ServerHello that asks for another hello (RFC 8446 section 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];
const X25519_GROUP: u16 = 0x001d;
const P256_GROUP: u16 = 0x0017;

/// Our halves of the keys.
struct Keys {
    x25519: EphemeralPrivateKey,
    p256: EphemeralPrivateKey,
}

impl Keys {
    fn new() -> Option<Self> {
        let random = SystemRandom::new();
        Some(Self {
            x25519: EphemeralPrivateKey::generate(&X25519, &random).ok()?,
            p256: EphemeralPrivateKey::generate(&ECDH_P256, &random).ok()?,
        })
    }

    fn shares(&self) -> Option<Vec<Share>> {
        let share = |group, key: &EphemeralPrivateKey| {
            Some(Share { group, key: key.compute_public_key().ok()?.as_ref().to_vec() })
        };
        Some(vec![share(X25519_GROUP, &self.x25519)?, share(P256_GROUP, &self.p256)?])
    }

    /// The secret that both sides share; `None` where theirs is no key.
    fn agree(self, group: u16, theirs: &[u8]) -> Option<Vec<u8>> {
        let secret = |secret: &[u8]| Ok::<_, ()>(secret.to_vec());
        match group {
            X25519_GROUP => {
                agree_ephemeral(self.x25519, UnparsedPublicKey::new(&X25519, theirs), (), secret).ok()
            }
            P256_GROUP => {
                agree_ephemeral(self.p256, UnparsedPublicKey::new(&ECDH_P256, theirs), (), secret).ok()
            }
            _ => None,
        }
    }
}

/// Says hello for TLS 1.3 alone, and reads what the server shows until the moment `until`. `None` where no keys could be
/// made.
pub async fn flight<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    hello: &Hello<'_>,
    until: Instant,
) -> Option<Flight> {
    let keys = Keys::new()?;
    let record = hello.record_13(&keys.shares()?);
    let _ = timeout_at(until, async { stream.write_all(&record).await.and(stream.flush().await) }).await;
    let mut messages = Messages::of(stream);
    let mut seen = Flight::nothing();
    // What is hashed is the message without the head of its record.
    let said = record.get(5..)?;
    seen.end = match timeout_at(until, shown(&mut messages, keys, said, &mut seen)).await {
        Ok(Ok(())) => End::Seen,
        Ok(Err(end)) => end,
        Err(_) => End::Slow,
    };
    Some(seen)
}

/// Reads up to the end of the certificates.
async fn shown<S: AsyncRead + Unpin>(
    messages: &mut Messages<S>,
    keys: Keys,
    said: &[u8],
    seen: &mut Flight,
) -> Result<(), End> {
    let cannot = |what: &str| unreadable(format!("the server's {what} cannot be read"));
    let hello = messages.next().await?;
    let (suite, group, theirs) = server_hello(&hello).ok_or_else(|| cannot("ServerHello"))?;
    seen.version = Some(Version::Tls13);
    seen.cipher_suite = Some(suite);
    let shared = keys.agree(group, theirs).ok_or_else(|| cannot("half of the key"))?;
    let said = [said, &hello.bytes()].concat();
    messages.open_with(Opener::new(suite, &shared, &said).ok_or_else(|| cannot("cipher suite"))?);
    while !take(&messages.next().await?, seen).map_err(cannot)? {}
    Ok(())
}

/// Takes one opened message up; true where it is the last that is read. The error names what cannot be read.
pub fn take(message: &Message, seen: &mut Flight) -> Result<bool, &'static str> {
    let mut body = Reader(&message.body);
    match message.kind {
        8 => seen.alpn = alpn(&mut body).ok_or("EncryptedExtensions")?,
        // What it asks of a client's certificate, a whole handshake tells.
        13 => {}
        11 => certificates(&mut body, seen).ok_or("Certificate message")?,
        // They are not unpacked: what is in them, another look shows.
        25 => seen.packed = Some(packed(&mut body).ok_or("CompressedCertificate message")?),
        _ => return Err("order of messages"),
    }
    Ok(matches!(message.kind, 11 | 25))
}

/// Cipher suite, group and the server's half of the key.
pub fn server_hello(message: &Message) -> Option<(u16, u16, &[u8])> {
    let mut body = Reader(&message.body);
    body.number(2).filter(|_| message.kind == 2)?;
    body.take(32).filter(|random| *random != RETRY)?;
    body.block(1)?;
    let suite = u16::try_from(body.number(2)?).ok()?;
    body.take(1)?;
    let mut extensions = body.block(2)?;
    let (mut version, mut share) = (None, None);
    while !extensions.0.is_empty() {
        let kind = extensions.number(2)?;
        let mut value = extensions.block(2)?;
        match kind {
            43 => version = Some(value.number(2)?),
            51 => share = Some((u16::try_from(value.number(2)?).ok()?, value.block(2)?.0)),
            _ => {}
        }
    }
    version.filter(|version| *version == 0x304)?;
    share.map(|(group, key)| (suite, group, key))
}

/// The application protocol among the encrypted extensions; `Some(None)` where there is none.
fn alpn(body: &mut Reader<'_>) -> Option<Option<Vec<u8>>> {
    let mut extensions = body.block(2)?;
    let mut found = None;
    while !extensions.0.is_empty() {
        let kind = extensions.number(2)?;
        let mut value = extensions.block(2)?;
        if kind == 16 {
            found = Some(value.block(2)?.block(1)?.0.to_vec());
        }
    }
    Some(found)
}

/// The head of compressed certificates (RFC 8879 section 4).
fn packed(body: &mut Reader<'_>) -> Option<Packed> {
    let algorithm = u16::try_from(body.number(2)?).ok()?;
    let unpacked = body.number(3)?;
    let packed = body.block(3)?.0.len();
    Some(Packed { algorithm, packed, unpacked })
}

/// The certificates, with the staple and the timestamps of the first (RFC 8446 section 4.4.2).
fn certificates(body: &mut Reader<'_>, seen: &mut Flight) -> Option<()> {
    body.block(1)?;
    let mut list = body.block(3)?;
    while !list.0.is_empty() && seen.chain.len() < MOST_CERTIFICATES {
        let certificate = list.block(3)?.0.to_vec();
        let mut extensions = list.block(2)?;
        while !extensions.0.is_empty() {
            let kind = extensions.number(2)?;
            let mut value = extensions.block(2)?;
            match kind {
                5 if seen.chain.is_empty() => {
                    value.number(1).filter(|kind| *kind == 1)?;
                    seen.staple = Some(value.block(3)?.0.to_vec());
                }
                18 if seen.chain.is_empty() => seen.timestamps = Some(value.0.to_vec()),
                _ => {}
            }
        }
        seen.chain.push(certificate);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sixteen megabytes announced for four octets: no more is kept than the numbers.
    #[test]
    fn a_bomb_is_told_by_its_head_and_not_unpacked() {
        let bytes = [0, 2, 0xff, 0xff, 0xff, 0, 0, 4, 1, 2, 3, 4];
        let read = packed(&mut Reader(&bytes));
        assert_eq!(read, Some(Packed { algorithm: 2, packed: 4, unpacked: 0xff_ffff }));
        for end in 0..bytes.len() {
            assert_eq!(packed(&mut Reader(&bytes[..end])), None, "{end}");
        }
    }
}
