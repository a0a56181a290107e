//! Our own header blocks as they go out (RFC 7541), read only as far as telling an answer that is a status alone.
//!
//! The HTTP machinery makes such a one where a header list is too long; every other answer has at least a date. The
//! encoder names what it said before by a number, so what it keeps in mind is counted along: of each entry whether it
//! is a status.

use std::collections::VecDeque;

/// Entries of the fixed table (RFC 7541 appendix A), and those of them that are a `:status`.
const FIXED: usize = 61;
const STATUSES: std::ops::RangeInclusive<usize> = 8..=14;
/// Entries that fit a table of 4,096 bytes, the most that our encoder uses: each is counted with 32 bytes.
const REMEMBERED: usize = 4096 / 32;

/// How far our header blocks have gone.
pub(crate) struct Blocks {
    at: At,
    /// The integer being read, and by how much its next digits are shifted.
    number: usize,
    shift: u32,
    /// Strings that the field still has.
    strings: u8,
    /// The field is one to be remembered.
    remembered: bool,
    is_status: bool,
    /// Fields of the block so far.
    fields: usize,
    /// Of what is remembered, the newest first: whether it is a status.
    table: VecDeque<bool>,
}

#[derive(Clone, Copy)]
enum At {
    /// A field begins.
    Field,
    /// Within the number of an entry, of one that names a field, or of a table's size.
    Index(Kind),
    /// A string begins.
    String,
    /// Within a string's length.
    Length,
    /// Within a string.
    Text,
}

#[derive(Clone, Copy)]
enum Kind {
    Entry,
    Name,
    Size,
}

impl Blocks {
    pub(crate) fn new() -> Self {
        Self {
            at: At::Field,
            number: 0,
            shift: 0,
            strings: 0,
            remembered: false,
            is_status: false,
            fields: 0,
            table: VecDeque::new(),
        }
    }

    /// Takes a part of a block.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) {
        while let [byte, rest @ ..] = bytes {
            bytes = rest;
            let at = self.at;
            match at {
                At::Field => self.field(*byte),
                At::String if self.begin(*byte, 7) => self.length(),
                At::String => self.at = At::Length,
                At::Index(kind) if self.more(*byte) => self.index(kind),
                At::Length if self.more(*byte) => self.length(),
                At::Index(_) | At::Length => {}
                At::Text => {
                    let more = (self.number - 1).min(rest.len());
                    bytes = &rest[more..];
                    self.number -= 1 + more;
                    if self.number == 0 {
                        self.string();
                    }
                }
            }
        }
    }

    /// The block is complete: whether it was a status and nothing else.
    pub(crate) fn end(&mut self) -> bool {
        self.at = At::Field;
        std::mem::take(&mut self.fields) == 1 && self.is_status
    }

    /// The first byte of a field (RFC 7541 section 6).
    fn field(&mut self, byte: u8) {
        let (kind, prefix) = match byte {
            0x80.. => (Kind::Entry, 7),
            0x40..0x80 => (Kind::Name, 6),
            0x20..0x40 => (Kind::Size, 5),
            _ => (Kind::Name, 4),
        };
        self.remembered = prefix == 6;
        self.at = At::Index(kind);
        if self.begin(byte, prefix) {
            self.index(kind);
        }
    }

    /// The first byte of an integer (RFC 7541 section 5.1); whether it is the last.
    fn begin(&mut self, byte: u8, prefix: u32) -> bool {
        let most = (1 << prefix) - 1;
        self.number = usize::from(byte) & most;
        self.shift = 0;
        self.number < most
    }

    /// A further byte of an integer; whether it is the last.
    fn more(&mut self, byte: u8) -> bool {
        // Our encoder writes no number that comes near the end of this.
        self.number += usize::from(byte & 127).checked_shl(self.shift).unwrap_or(0);
        self.shift += 7;
        byte < 128
    }

    fn index(&mut self, kind: Kind) {
        let index = self.number;
        self.is_status = STATUSES.contains(&index)
            || index.checked_sub(FIXED + 1).and_then(|at| self.table.get(at)).is_some_and(|status| *status);
        match kind {
            Kind::Size => self.at = At::Field,
            Kind::Entry => self.whole(),
            Kind::Name => {
                self.strings = if index == 0 { 2 } else { 1 };
                self.at = At::String;
            }
        }
    }

    fn length(&mut self) {
        if self.number == 0 { self.string() } else { self.at = At::Text }
    }

    /// A string is complete.
    fn string(&mut self) {
        self.strings -= 1;
        self.at = At::String;
        if self.strings == 0 {
            self.whole();
        }
    }

    /// A field is complete.
    fn whole(&mut self) {
        self.fields += 1;
        self.at = At::Field;
        if std::mem::take(&mut self.remembered) {
            self.table.push_front(self.is_status);
            self.table.truncate(REMEMBERED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each block, cut in every way: whether it is a status alone.
    #[track_caller]
    fn says(blocks: &[(&[u8], bool)]) {
        for size in 1..=blocks.iter().map(|(block, _)| block.len()).max().unwrap() {
            let mut read = Blocks::new();
            for (number, (block, alone)) in blocks.iter().enumerate() {
                block.chunks(size).for_each(|part| read.take(part));
                assert_eq!(read.end(), *alone, "block {number} in parts of {size}");
            }
        }
    }

    #[test]
    fn a_status_alone_is_told_from_an_answer_and_from_trailers_in_every_encoding() {
        says(&[
            (b"\x88", true),
            (b"\x48\x03431", true),
            (b"\x08\x82\x69\x90", true),
            (b"\x20\x18\x03431", true),
            (b"\x3f\xe1\x1f\x88", true),
            (b"\x88\x61\x03now", false),
            (b"\x00\x01x\x01y", false),
            (b"\x00\x01x\x00", false),
            (b"\x61\x03now", false),
            (b"", false),
        ]);
        let long = [&b"\x88\x00\x01x\x7f\x81\x01"[..], &[b'y'; 256]].concat();
        says(&[(&long, false), (b"\x88", true)]);
    }

    #[test]
    fn what_was_remembered_is_known_again_by_its_number() {
        says(&[
            (b"\x48\x03431", true),
            (b"\xbe", true),
            (b"\x40\x01x\x01y", false),
            (b"\xbe", false),
            (b"\xbf", true),
            (b"\x7f\x00\x03429", true),
            (b"\xbe", true),
            (b"\xbf", false),
            (b"\xff\x00", false),
        ]);
        // The table keeps what its size allows; the numbers of what is there stay right.
        let mut read = Blocks::new();
        for _ in 0..1000 {
            read.take(b"\x40\x01x\x01y");
        }
        read.end();
        read.take(b"\x48\x03431");
        assert!(read.end());
        read.take(b"\xbe");
        assert!(read.end());
        assert_eq!(read.table.len(), REMEMBERED);
    }
}
