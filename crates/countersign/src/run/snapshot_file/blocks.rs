//! A stream in blocks, each sealed by itself: what is read was checked before, without holding the whole in memory.
//!
//! A block is its length (four bytes, little-endian; the highest bit marks the last one), so many bytes, and an
//! HMAC-SHA256 over the digest of the stream's first line, the block's number, its length and its bytes. No block can be
//! changed, left out, repeated, moved, or taken from another stream, and none can follow the last.

use std::io::{Error, ErrorKind, Read, Result, Write};

use aws_lc_rs::{digest, hmac};

/// Bytes of a block at the most.
const BLOCK: usize = 1 << 16;
/// Marks the last block, in its length.
const LAST: u32 = 1 << 31;
/// Bytes of a block's seal.
const SEAL: usize = 32;

/// What is wrong with a stream that ends early.
pub const CUT: &str = "its end is missing";
/// What is wrong with one that was changed.
pub const BROKEN: &str = "its seal does not fit: it was changed, or the key was";

/// What all blocks of one stream are sealed with.
struct Sealer {
    key: hmac::Key,
    first_line: digest::Digest,
    number: u64,
}

impl Sealer {
    fn new(key: &hmac::Key, first_line: &[u8]) -> Self {
        Self { key: key.clone(), first_line: digest::digest(&digest::SHA256, first_line), number: 0 }
    }

    /// The seal of the next block.
    fn seal(&mut self, length: u32, bytes: &[u8]) -> hmac::Tag {
        let mut seal = hmac::Context::with_key(&self.key);
        seal.update(self.first_line.as_ref());
        seal.update(&self.number.to_le_bytes());
        seal.update(&length.to_le_bytes());
        seal.update(bytes);
        self.number += 1;
        seal.sign()
    }
}

/// Writes a stream. Without [`finish`](Self::finish) it has no end, and is refused.
pub struct Sealing<W: Write> {
    out: W,
    sealer: Sealer,
    block: Vec<u8>,
}

impl<W: Write> Sealing<W> {
    /// Writes to `out`, where `first_line` stands already.
    pub fn new(out: W, key: &hmac::Key, first_line: &[u8]) -> Self {
        Self { out, sealer: Sealer::new(key, first_line), block: Vec::with_capacity(BLOCK) }
    }

    fn end_block(&mut self, mark: u32) -> Result<()> {
        let length = self.block.len() as u32 | mark;
        let seal = self.sealer.seal(length, &self.block);
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&self.block)?;
        self.out.write_all(seal.as_ref())?;
        self.block.clear();
        Ok(())
    }

    /// Writes the last block.
    pub fn finish(mut self) -> Result<W> {
        self.end_block(LAST)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.block.len() == BLOCK {
            self.end_block(0)?;
        }
        let now = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..now]);
        Ok(now)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Reads a stream. `Err(InvalidData)` at the first block that is not as it was written.
pub struct Unsealing<R: Read> {
    input: R,
    sealer: Sealer,
    block: Vec<u8>,
    at: usize,
    is_last: bool,
}

impl<R: Read> Unsealing<R> {
    /// Reads from `input`, behind its `first_line`.
    pub fn new(input: R, key: &hmac::Key, first_line: &[u8]) -> Self {
        Self { input, sealer: Sealer::new(key, first_line), block: Vec::new(), at: 0, is_last: false }
    }

    /// Reads the next block, and holds it to its seal before anything of it is given out.
    fn next(&mut self) -> Result<()> {
        let mut length = [0; 4];
        self.exactly(&mut length)?;
        let length = u32::from_le_bytes(length);
        let bytes = (length & !LAST) as usize;
        if bytes > BLOCK {
            return broken(BROKEN);
        }
        let mut block = std::mem::take(&mut self.block);
        block.resize(bytes, 0);
        self.exactly(&mut block)?;
        let mut found = [0; SEAL];
        self.exactly(&mut found)?;
        let seal = self.sealer.seal(length, &block);
        if aws_lc_rs::constant_time::verify_slices_are_equal(seal.as_ref(), &found).is_err() {
            return broken(BROKEN);
        }
        (self.block, self.at, self.is_last) = (block, 0, length & LAST != 0);
        Ok(())
    }

    fn exactly(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.input.read_exact(bytes).or_else(|error| match error.kind() {
            ErrorKind::UnexpectedEof => broken(CUT),
            _ => Err(error),
        })
    }

    /// That everything was read, and nothing follows. `Err(InvalidData)` if not.
    pub fn finish(mut self) -> Result<()> {
        if self.read(&mut [0])? != 0 {
            return broken("it holds more than it says");
        }
        if self.input.read(&mut [0])? != 0 {
            return broken(BROKEN);
        }
        Ok(())
    }
}

impl<R: Read> Read for Unsealing<R> {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        while self.at == self.block.len() && !self.is_last {
            self.next()?;
        }
        let now = bytes.len().min(self.block.len() - self.at);
        bytes[..now].copy_from_slice(&self.block[self.at..self.at + now]);
        self.at += now;
        Ok(now)
    }
}

fn broken<T>(what: &str) -> Result<T> {
    Err(Error::new(ErrorKind::InvalidData, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] = b"first line\n";

    fn key(byte: u8) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32])
    }

    fn sealed(content: &[u8], line: &[u8]) -> Vec<u8> {
        let mut stream = Sealing::new(Vec::new(), &key(1), line);
        stream.write_all(content).unwrap();
        stream.finish().unwrap()
    }

    fn read(stream: &[u8], key: &hmac::Key, line: &[u8]) -> std::result::Result<Vec<u8>, String> {
        let mut stream = Unsealing::new(stream, key, line);
        let mut content = Vec::new();
        stream.read_to_end(&mut content).map_err(|error| error.to_string())?;
        stream.finish().map_err(|error| error.to_string())?;
        Ok(content)
    }

    fn content(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|at| (at * 31 % 251) as u8).collect()
    }

    /// The blocks of a stream, each with its length and seal.
    fn blocks(stream: &[u8]) -> Vec<&[u8]> {
        let mut blocks = Vec::new();
        let mut rest = stream;
        while let Some(length) = rest.first_chunk::<4>() {
            let (block, after) = rest.split_at(4 + (u32::from_le_bytes(*length) & !LAST) as usize + SEAL);
            blocks.push(block);
            rest = after;
        }
        blocks
    }

    #[test]
    fn what_was_sealed_is_read_again_whatever_its_length() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7] {
            let content = content(length);
            assert_eq!(read(&sealed(&content, LINE), &key(1), LINE).unwrap(), content, "{length}");
        }
    }

    #[test]
    fn another_key_another_first_line_and_what_follows_the_end_are_refused() {
        let stream = sealed(&content(100), LINE);
        assert_eq!(read(&stream, &key(2), LINE).unwrap_err(), BROKEN);
        assert_eq!(read(&stream, &key(1), b"other line\n").unwrap_err(), BROKEN);
        assert_eq!(read(&[&stream[..], b"x"].concat(), &key(1), LINE).unwrap_err(), BROKEN);
        assert_eq!(read(&[&stream[..], &stream[..]].concat(), &key(1), LINE).unwrap_err(), BROKEN);
    }

    #[test]
    fn cut_anywhere_it_is_refused() {
        let stream = sealed(&content(BLOCK + 50), LINE);
        for length in (0..100).chain(BLOCK - 10..stream.len()) {
            assert_eq!(read(&stream[..length], &key(1), LINE).unwrap_err(), CUT, "{length}");
        }
    }

    #[test]
    fn with_any_bit_changed_it_is_refused() {
        let stream = sealed(&content(150), LINE);
        for bit in 0..stream.len() * 8 {
            let mut changed = stream.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let refused = read(&changed, &key(1), LINE).unwrap_err();
            assert!([CUT, BROKEN].contains(&refused.as_str()), "{bit}: {refused}");
        }
    }

    #[test]
    fn blocks_that_are_left_out_repeated_moved_or_anothers_are_refused() {
        let stream = sealed(&content(3 * BLOCK + 9), LINE);
        let other = sealed(&content(3 * BLOCK + 9), b"another first line\n");
        let (all, others) = (blocks(&stream), blocks(&other));
        assert_eq!(all.len(), 4);
        let refused = |order: &[&[u8]]| assert_eq!(read(&order.concat(), &key(1), LINE).unwrap_err(), BROKEN);
        refused(&[all[0], all[2], all[3]]);
        refused(&[all[0], all[1], all[1], all[2], all[3]]);
        refused(&[all[1], all[0], all[2], all[3]]);
        refused(&[all[0], others[1], all[2], all[3]]);
        refused(&[all[3]]);
        assert_eq!(read(&all[..3].concat(), &key(1), LINE).unwrap_err(), CUT);
        assert!(read(&all.concat(), &key(1), LINE).is_ok());
    }
}
