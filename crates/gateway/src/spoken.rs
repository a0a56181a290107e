//! Our own HTTP/2 frames as they go out, read only as far as telling what the HTTP machinery refused by itself.
//!
//! It resets a malformed stream and ends a broken connection without a word to anybody else (RFC 9113 sections 5.4 and
//! 8.1.1). This sees the same bytes, so that such a refusal is counted and logged like any other.
//! A header list that is too long it answers with a bare 431 (RFC 6585 section 5), also without a word.

use crate::blocks::Blocks;
use crate::wire::{self, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEAD, HEADERS, RST_STREAM};

/// Codes that blame the client (RFC 9113 section 7): what we end for reasons of our own has none of these.
const BLAMES: [u32; 7] = [1, 3, 5, 6, 7, 9, 11];

/// What the HTTP machinery refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// A header list that is too long: answered with 431.
    TooLong,
    /// A stream, with this code.
    Stream(u32),
    /// All of the connection, with this code.
    Connection(u32),
}

/// What a frame means to the balance between work and worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Worth {
    /// Frames of answers.
    pub(crate) frames: u32,
    /// Answers that are whole.
    pub(crate) answers: u32,
}

/// How far our frames have gone.
pub(crate) struct Spoken {
    head: [u8; HEAD],
    /// The first bytes of the payload.
    begin: [u8; 8],
    /// Bytes of the frame that went out, its head included.
    have: usize,
    blocks: Blocks,
    /// The stream of the last header list that was too long. A reset behind its answer is about the same.
    too_long: u32,
    refused: Vec<Refused>,
}

impl Spoken {
    pub(crate) fn new() -> Self {
        Self {
            head: [0; HEAD],
            begin: [0; 8],
            have: 0,
            blocks: Blocks::new(),
            too_long: 0,
            refused: Vec::new(),
        }
    }

    /// Whether what went out ends with a whole frame.
    pub(crate) fn is_between_frames(&self) -> bool {
        self.have == 0
    }

    /// What was refused since it was asked for last.
    pub(crate) fn refused(&mut self) -> Vec<Refused> {
        std::mem::take(&mut self.refused)
    }

    /// Takes what was written; what it was worth.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) -> Worth {
        let mut worth = Worth::default();
        while !bytes.is_empty() {
            if self.have < HEAD {
                let (taken, rest) = bytes.split_at((HEAD - self.have).min(bytes.len()));
                self.head[self.have..self.have + taken.len()].copy_from_slice(taken);
                (self.have, bytes) = (self.have + taken.len(), rest);
                if self.have < HEAD {
                    return worth;
                }
            }
            let length = wire::length(&self.head);
            let at = self.have - HEAD;
            let (taken, rest) = bytes.split_at((length - at).min(bytes.len()));
            if at < self.begin.len() {
                let count = taken.len().min(self.begin.len() - at);
                self.begin[at..at + count].copy_from_slice(&taken[..count]);
            }
            if matches!(self.head[3], HEADERS | CONTINUATION) {
                // None of ours is padded or has a priority.
                self.blocks.take(taken);
            }
            (self.have, bytes) = (self.have + taken.len(), rest);
            if self.have == HEAD + length {
                self.whole(length, &mut worth);
                self.have = 0;
            }
        }
        worth
    }

    fn whole(&mut self, length: usize, worth: &mut Worth) {
        let stream = wire::stream(&self.head);
        let code = |at: usize| {
            let bytes = [self.begin[at], self.begin[at + 1], self.begin[at + 2], self.begin[at + 3]];
            u32::from_be_bytes(bytes)
        };
        let (kind, flags) = (self.head[3], self.head[4]);
        if matches!(kind, DATA | HEADERS) {
            worth.frames += u32::from(length > 0);
            worth.answers += u32::from(flags & END_STREAM);
        }
        match kind {
            HEADERS | CONTINUATION if flags & END_HEADERS != 0 => {
                let alone = self.blocks.end();
                if alone && flags & END_STREAM != 0 {
                    self.too_long = stream;
                    self.refused.push(Refused::TooLong);
                }
            }
            RST_STREAM if BLAMES.contains(&code(0)) && stream != self.too_long => {
                self.refused.push(Refused::Stream(code(0)));
            }
            GOAWAY if BLAMES.contains(&code(4)) => self.refused.push(Refused::Connection(code(4))),
            _ => {}
        }
    }
}

/// A code's name (RFC 9113 section 7).
pub(crate) fn name(code: u32) -> &'static str {
    const NAMES: [&str; 14] = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];
    NAMES.get(code as usize).copied().unwrap_or("an unknown code")
}

/// GOAWAY with ENHANCE_YOUR_CALM, for a connection none of whose last requests is to be tried again.
pub(crate) fn calm_down() -> [u8; 17] {
    let [a, b, c, d] = (u32::MAX >> 1).to_be_bytes();
    [0, 0, 8, GOAWAY, 0, 0, 0, 0, 0, a, b, c, d, 0, 0, 0, 11]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        frame
    }

    #[test]
    fn what_blames_the_client_is_seen_however_it_was_cut_and_nothing_else_is() {
        let whole = [
            frame(4, 0, 0, &[0; 12]),
            frame(HEADERS, 4, 1, b"\x88\x61\x03now"),
            frame(DATA, END_STREAM, 1, &[RST_STREAM; 100]),
            frame(RST_STREAM, 0, 3, &[0, 0, 0, 8]),
            frame(RST_STREAM, 0, 5, &[0, 0, 0, 1]),
            frame(HEADERS, 5, 7, b"\x48\x03431"),
            frame(RST_STREAM, 0, 7, &[0, 0, 0, 1]),
            frame(HEADERS, 5, 9, b"\xbe"),
            frame(HEADERS, 5, 11, b"\x89\x61\x03now"),
            frame(RST_STREAM, 0, 11, &[0, 0, 0, 7]),
            frame(HEADERS, 4, 13, b"\x88"),
            frame(6, 1, 0, &[0, 0, 0, 1, 0, 0, 0, 1]),
            frame(GOAWAY, 0, 0, &[0, 0, 0, 7, 0, 0, 0, 0]),
            calm_down().to_vec(),
        ]
        .concat();
        let wanted = [
            Refused::Stream(1),
            Refused::TooLong,
            Refused::TooLong,
            Refused::Stream(7),
            Refused::Connection(11),
        ];
        for size in 1..whole.len() {
            let mut spoken = Spoken::new();
            let mut worth = Worth::default();
            for piece in whole.chunks(size) {
                let more = spoken.take(piece);
                worth.frames += more.frames;
                worth.answers += more.answers;
            }
            assert_eq!(spoken.refused(), wanted, "{size}");
            assert_eq!(worth, Worth { frames: 6, answers: 4 }, "{size}");
            assert!(spoken.is_between_frames());
            assert_eq!(spoken.refused(), []);
            spoken.take(&whole[..5]);
            assert!(!spoken.is_between_frames());
        }
    }
}
