//! A server's first flight in clear, up to TLS 1.2: ServerHello, Certificate, CertificateStatus, CertificateRequest (RFC
//! 5246 section 7.4, RFC 6066 section 8). What was read before a fault is kept.

use examiner::seen::{End, Version};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::hello::Hello;
use super::wire::{Message, Messages, unreadable};

/// Certificates that are read of one server.
pub const MOST_CERTIFICATES: usize = 100;

/// What a server showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flight {
    /// The version that it chose.
    pub version: Option<Version>,
    /// The cipher suite that it chose.
    pub cipher_suite: Option<u16>,
    /// The application protocol that it chose.
    pub alpn: Option<Vec<u8>>,
    /// The list of signed certificate timestamps in the extension (RFC 6962 section 3.3.1).
    pub timestamps: Option<Vec<u8>>,
    /// The certificates as they came.
    pub chain: Vec<Vec<u8>>,
    /// The stapled OCSP response.
    pub staple: Option<Vec<u8>>,
    /// What it asks of a client's certificate.
    pub asks: Option<Asks>,
    /// The certificates came compressed, and were left so.
    pub packed: Option<Packed>,
    /// How it ended.
    pub end: End,
}

/// Compressed certificates, by their head (RFC 8879 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The algorithm's number.
    pub algorithm: u16,
    /// Octets as they came.
    pub packed: usize,
    /// Octets that are announced for what is in them.
    pub unpacked: usize,
}

/// What a server asks of a client's certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// The names of issuers, DER.
    pub issuers: Vec<Vec<u8>>,
    /// Octets of the list of issuers.
    pub issuer_octets: usize,
    /// Signature algorithms.
    pub signature_algorithms: Vec<u16>,
    /// Up to TLS 1.2, types of certificates.
    pub certificate_types: Vec<u8>,
}

/// Says hello and reads what the server shows until the moment `until`.
pub async fn flight<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    hello: &Hello<'_>,
    until: Instant,
) -> Flight {
    let mut seen = Flight::nothing();
    // A server that closes at once may have said why: what it sent is read all the same.
    let record = hello.record();
    let _ = timeout_at(until, async { stream.write_all(&record).await.and(stream.flush().await) }).await;
    let mut messages = Messages::of(stream);
    seen.end = loop {
        let message = match timeout_at(until, messages.next()).await {
            Ok(Ok(message)) => message,
            Ok(Err(end)) => break end,
            Err(_) => break End::Slow,
        };
        match seen.take(&message) {
            Ok(true) => break End::Seen,
            Ok(false) => {}
            Err(what) => break unreadable(format!("the server's {what} cannot be read")),
        }
    };
    seen
}

impl Flight {
    /// Before the first message.
    pub fn nothing() -> Self {
        Self {
            version: None,
            cipher_suite: None,
            alpn: None,
            timestamps: None,
            chain: Vec::new(),
            staple: None,
            asks: None,
            packed: None,
            end: End::Seen,
        }
    }

    /// Takes one message up; true where it is the last. The error names what cannot be read.
    fn take(&mut self, message: &Message) -> Result<bool, &'static str> {
        let mut body = Reader(&message.body);
        match message.kind {
            0 | 12 => {}
            2 => self.hello(&mut body).ok_or("ServerHello")?,
            11 => self.certificates(&mut body).ok_or("Certificate message")?,
            13 => self.asks = Some(asks(&mut body, self.version).ok_or("CertificateRequest")?),
            14 => return Ok(true),
            22 => self.staple = Some(staple(&mut body).ok_or("CertificateStatus")?),
            _ => return Err("order of messages"),
        }
        Ok(false)
    }

    fn hello(&mut self, body: &mut Reader<'_>) -> Option<()> {
        self.version = Some(match body.number(2)? {
            0x300 => Version::Ssl30,
            0x301 => Version::Tls10,
            0x302 => Version::Tls11,
            0x303 => Version::Tls12,
            _ => return None,
        });
        body.take(32)?;
        body.block(1)?;
        self.cipher_suite = Some(u16::try_from(body.number(2)?).ok()?);
        body.take(1)?;
        if body.0.is_empty() {
            return Some(());
        }
        let mut extensions = body.block(2)?;
        while !extensions.0.is_empty() {
            let kind = extensions.number(2)?;
            let mut value = extensions.block(2)?;
            match kind {
                16 => self.alpn = Some(value.block(2)?.block(1)?.0.to_vec()),
                18 => self.timestamps = Some(value.0.to_vec()),
                _ => {}
            }
        }
        Some(())
    }

    fn certificates(&mut self, body: &mut Reader<'_>) -> Option<()> {
        let mut list = body.block(3)?;
        while !list.0.is_empty() && self.chain.len() < MOST_CERTIFICATES {
            self.chain.push(list.block(3)?.0.to_vec());
        }
        Some(())
    }
}

fn staple(body: &mut Reader<'_>) -> Option<Vec<u8>> {
    (body.number(1)? == 1).then_some(())?;
    Some(body.block(3)?.0.to_vec())
}

fn asks(body: &mut Reader<'_>, version: Option<Version>) -> Option<Asks> {
    let certificate_types = body.block(1)?.0.to_vec();
    let signature_algorithms = match version {
        Some(Version::Tls12) => {
            let mut list = body.block(2)?;
            let mut all = Vec::new();
            while !list.0.is_empty() {
                all.push(u16::try_from(list.number(2)?).ok()?);
            }
            all
        }
        _ => Vec::new(),
    };
    let mut list = body.block(2)?;
    let issuer_octets = list.0.len();
    let issuers = list.blocks(2)?.into_iter().map(<[u8]>::to_vec).collect();
    Some(Asks { issuers, issuer_octets, signature_algorithms, certificate_types })
}

/// Reads lengths and what they announce.
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next octets, so many.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    /// A number of so many octets.
    pub fn number(&mut self, width: usize) -> Option<usize> {
        Some(self.take(width)?.iter().fold(0, |number, octet| number << 8 | usize::from(*octet)))
    }

    /// What stands behind a length of so many octets.
    pub fn block(&mut self, width: usize) -> Option<Self> {
        let length = self.number(width)?;
        self.take(length).map(Self)
    }

    /// All blocks to the end.
    fn blocks(&mut self, width: usize) -> Option<Vec<&'a [u8]>> {
        let mut all = Vec::new();
        while !self.0.is_empty() {
            all.push(self.block(width)?.0);
        }
        Some(all)
    }
}

#[cfg(test)]
#[path = "flight/tests.rs"]
mod tests;
