//! A client's HTTP/2 frames as they come in, read only as far as telling what was begun and is not complete.
//!
//! The HTTP machinery waits for the rest of a frame and of a header block without a limit of time. This sees the same
//! bytes and says since when something is due (RFC 9113 sections 3.4, 4.1 and 4.3). A body's frames are never due: they
//! come as slowly as a client sends them, under the deadlines of the exchange.

use tokio::time::Instant;

use crate::calm::Calm;
use crate::wire::{self, CONTINUATION, DATA, END_HEADERS, HEAD, HEADERS};

/// Bytes of the preface.
const PREFACE: usize = 24;

/// How far the frames have come.
pub(crate) struct Frames {
    part: Part,
    /// Bytes of the part that have come.
    have: usize,
    head: [u8; HEAD],
    /// A header block lacks its end.
    block: bool,
    since: Option<Instant>,
    /// What they ask for in vain.
    pub(crate) calm: Calm,
}

#[derive(Clone, Copy)]
enum Part {
    Preface,
    Head,
    Payload(usize),
}

impl Frames {
    /// `streams`: how many may be open at once.
    pub(crate) fn new(streams: u32) -> Self {
        let calm = Calm::new(streams);
        Self { part: Part::Preface, have: 0, head: [0; HEAD], block: false, since: None, calm }
    }

    /// Since when a frame or a header block lacks its rest.
    pub(crate) fn due_since(&self) -> Option<Instant> {
        self.since
    }

    /// Takes what was read.
    pub(crate) fn take(&mut self, mut bytes: &[u8], now: Instant) {
        while !bytes.is_empty() {
            if !matches!(self.part, Part::Payload(_)) || self.head[3] != DATA {
                self.since.get_or_insert(now);
            }
            let whole = match self.part {
                Part::Preface => PREFACE,
                Part::Head => HEAD,
                Part::Payload(length) => length,
            };
            let (taken, rest) = bytes.split_at((whole - self.have).min(bytes.len()));
            if matches!(self.part, Part::Head) {
                self.head[self.have..self.have + taken.len()].copy_from_slice(taken);
            }
            self.have += taken.len();
            bytes = rest;
            if self.have == whole {
                self.next(now);
            }
        }
    }

    /// A part is complete.
    fn next(&mut self, now: Instant) {
        self.have = 0;
        if matches!(self.part, Part::Head) {
            let length = wire::length(&self.head);
            self.calm.came(self.head[3], self.head[4], length, now);
            if length > 0 {
                self.part = Part::Payload(length);
                if self.head[3] == DATA && !self.block {
                    self.since = None;
                }
                return;
            }
        }
        if !matches!(self.part, Part::Preface) && matches!(self.head[3], HEADERS | CONTINUATION) {
            self.block = self.head[4] & END_HEADERS == 0;
        }
        self.part = Part::Head;
        if !self.block {
            self.since = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags, 0, 0, 0, 1]);
        frame.extend(payload);
        frame
    }

    fn begun() -> (Frames, Instant) {
        let (mut frames, now) = (Frames::new(100), Instant::now());
        frames.take(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", now);
        (frames, now)
    }

    #[test]
    fn whatever_is_complete_is_not_due_however_it_was_cut() {
        let whole = [
            frame(4, 0, &[]),
            frame(HEADERS, END_HEADERS, b"abc"),
            frame(HEADERS, 0, b"abc"),
            frame(CONTINUATION, 0, b""),
            frame(CONTINUATION, END_HEADERS, b"def"),
            frame(DATA, 1, b"body"),
            frame(8, 0, &[0; 4]),
        ]
        .concat();
        for size in 1..whole.len() {
            let (mut frames, now) = begun();
            whole.chunks(size).for_each(|piece| frames.take(piece, now));
            assert_eq!(frames.due_since(), None, "{size}");
        }
    }

    #[test]
    fn a_block_without_its_end_is_due_from_its_first_byte() {
        for cut in [1, 5, 9, 10, 12] {
            let (mut frames, now) = begun();
            frames.take(&frame(HEADERS, END_HEADERS, b"abc")[..cut.min(11)], now);
            assert_eq!(frames.due_since(), Some(now), "{cut}");
        }
        let (mut frames, now) = begun();
        let later = now + Duration::from_secs(9);
        frames.take(&frame(HEADERS, 0, b"abc"), now);
        frames.take(&frame(CONTINUATION, 0, b"d"), later);
        assert_eq!(frames.due_since(), Some(now), "more of it is no new beginning");
        frames.take(&frame(CONTINUATION, END_HEADERS, b"e"), later);
        frames.take(&frame(HEADERS, 0, b"abc"), later);
        assert_eq!(frames.due_since(), Some(later));
    }

    #[test]
    fn the_preface_and_other_frames_are_due_and_a_bodys_rest_is_not() {
        let (mut frames, now) = (Frames::new(100), Instant::now());
        frames.take(b"PRI *", now);
        assert_eq!(frames.due_since(), Some(now));
        let (mut frames, now) = begun();
        frames.take(&frame(4, 0, &[0; 6])[..12], now);
        assert_eq!(frames.due_since(), Some(now));
        let (mut frames, now) = begun();
        frames.take(&frame(DATA, 0, b"body")[..11], now);
        assert_eq!(frames.due_since(), None);
    }
}
