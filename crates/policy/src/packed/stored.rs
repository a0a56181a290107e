//! Numbers, texts and times as bytes, and back with every length held to what is there.
//!
//! Numbers are little-endian; a text is its length and its UTF-8. What is read may be damaged: a length never makes
//! room for more than the input can still hold, and what cannot be is `InvalidData`.

use std::io::{Error, ErrorKind, Read, Result, Write};

use examiner::UnixTime;

use crate::host::HostName;
use crate::names::PartyName;
use crate::record::{PinExceptions, Revoked};

/// `Err(InvalidData)` in these words.
pub(crate) fn invalid<T>(what: &str) -> Result<T> {
    Err(Error::new(ErrorKind::InvalidData, what))
}

/// Writes values one after the other.
pub(crate) struct Put<'a, W: Write>(pub(crate) &'a mut W);

impl<W: Write> Put<'_, W> {
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write_all(bytes)
    }

    pub(crate) fn byte(&mut self, byte: u8) -> Result<()> {
        self.bytes(&[byte])
    }

    pub(crate) fn number(&mut self, number: u32) -> Result<()> {
        self.bytes(&number.to_le_bytes())
    }

    /// How many there are of something.
    pub(crate) fn count(&mut self, count: usize) -> Result<()> {
        match u32::try_from(count) {
            Ok(count) => self.number(count),
            Err(_) => invalid("there is too much of it"),
        }
    }

    pub(crate) fn time(&mut self, time: UnixTime) -> Result<()> {
        self.bytes(&time.seconds().to_le_bytes())
    }

    pub(crate) fn text(&mut self, text: &str) -> Result<()> {
        self.count(text.len())?;
        self.bytes(text.as_bytes())
    }

    fn maybe_time(&mut self, time: Option<UnixTime>) -> Result<()> {
        self.byte(u8::from(time.is_some()))?;
        time.map_or(Ok(()), |time| self.time(time))
    }

    pub(crate) fn revoked(&mut self, revoked: Option<&Revoked>) -> Result<()> {
        self.byte(u8::from(revoked.is_some()))?;
        let Some(Revoked { at, reason }) = revoked else { return Ok(()) };
        self.time(*at)?;
        self.text(reason)
    }

    pub(crate) fn exceptions(&mut self, exceptions: &PinExceptions) -> Result<()> {
        self.maybe_time(exceptions.without_client_usage_until)?;
        self.maybe_time(exceptions.ca_certificate_until)
    }
}

/// Reads values one after the other.
pub(crate) struct Take<'a, R: Read> {
    input: &'a mut R,
    /// At most so many bytes are there still.
    left: u64,
}

impl<'a, R: Read> Take<'a, R> {
    /// Reads from `input`, which holds no more than `most` bytes.
    pub(crate) fn new(input: &'a mut R, most: u64) -> Self {
        Self { input, left: most }
    }

    fn spend(&mut self, bytes: usize) -> Result<()> {
        match self.left.checked_sub(bytes as u64) {
            Some(left) => self.left = left,
            None => return invalid("it says that more follows than there is"),
        }
        Ok(())
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.spend(bytes.len())?;
        self.input.read_exact(bytes)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    pub(crate) fn byte(&mut self) -> Result<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn number(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// How many follow, each of at least `least` bytes.
    pub(crate) fn count(&mut self, least: usize) -> Result<usize> {
        let count = self.number()? as usize;
        if count as u64 * least as u64 > self.left {
            return invalid("it says that more follows than there is");
        }
        Ok(count)
    }

    pub(crate) fn time(&mut self) -> Result<UnixTime> {
        self.array().map(|bytes| UnixTime(i64::from_le_bytes(bytes)))
    }

    pub(crate) fn text(&mut self) -> Result<String> {
        let length = self.number()?;
        self.long_text(length.into())
    }

    /// The next so many bytes as a text.
    pub(crate) fn long_text(&mut self, length: u64) -> Result<String> {
        if length > self.left {
            return invalid("it says that more follows than there is");
        }
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes)?;
        String::from_utf8(bytes).or_else(|_| invalid("a text is no UTF-8"))
    }

    pub(crate) fn flag(&mut self) -> Result<bool> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => invalid("yes or no is neither"),
        }
    }

    fn maybe_time(&mut self) -> Result<Option<UnixTime>> {
        Ok(if self.flag()? { Some(self.time()?) } else { None })
    }

    pub(crate) fn revoked(&mut self) -> Result<Option<Revoked>> {
        Ok(if self.flag()? { Some(Revoked { at: self.time()?, reason: self.text()? }) } else { None })
    }

    pub(crate) fn exceptions(&mut self) -> Result<PinExceptions> {
        Ok(PinExceptions {
            without_client_usage_until: self.maybe_time()?,
            ca_certificate_until: self.maybe_time()?,
        })
    }

    pub(crate) fn party(&mut self) -> Result<PartyName> {
        PartyName::parse(&self.text()?).or_else(|_| invalid("a party has no name that one can have"))
    }

    pub(crate) fn host(&mut self) -> Result<HostName> {
        HostName::parse(&self.text()?).or_else(|_| invalid("a site has no name that one can have"))
    }

    /// Calls `each` for every one of `count` rows of N bytes, read many at a time.
    pub(crate) fn rows<const N: usize>(
        &mut self,
        count: usize,
        mut each: impl FnMut(&[u8; N]) -> Result<()>,
    ) -> Result<()> {
        const AT_ONCE: usize = 256;
        let mut bytes = vec![0; N * AT_ONCE.min(count)];
        let mut left = count;
        while left > 0 {
            let now = left.min(AT_ONCE);
            let part = &mut bytes[..N * now];
            self.fill(part)?;
            part.as_chunks::<N>().0.iter().try_for_each(&mut each)?;
            left -= now;
        }
        Ok(())
    }
}
