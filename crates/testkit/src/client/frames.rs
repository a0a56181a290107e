//! One HTTP/2 connection written and read frame by frame, right or wrong (RFC 9113).

use std::time::Duration;

use super::{Broken, Client, Conn};

/// What a client's side of a connection begins with (RFC 9113 section 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The types of frames (RFC 9113 section 6).
pub mod kind {
    /// A body.
    pub const DATA: u8 = 0;
    /// A header block, or its beginning.
    pub const HEADERS: u8 = 1;
    /// A stream's priority; of no meaning any more.
    pub const PRIORITY: u8 = 2;
    /// The end of a stream.
    pub const RST_STREAM: u8 = 3;
    /// What a side wants of the other.
    pub const SETTINGS: u8 = 4;
    /// A request that the server makes up.
    pub const PUSH_PROMISE: u8 = 5;
    /// Are you there.
    pub const PING: u8 = 6;
    /// The end of a connection.
    pub const GOAWAY: u8 = 7;
    /// More may be sent.
    pub const WINDOW_UPDATE: u8 = 8;
    /// More of a header block.
    pub const CONTINUATION: u8 = 9;
}

/// The flags of frames.
pub mod flag {
    /// The last frame of a body.
    pub const END_STREAM: u8 = 1;
    /// The answer to SETTINGS or PING.
    pub const ACK: u8 = 1;
    /// The header block is complete.
    pub const END_HEADERS: u8 = 4;
    /// There is padding.
    pub const PADDED: u8 = 8;
    /// There are five bytes of priority.
    pub const PRIORITY: u8 = 0x20;
}

/// A frame, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its type.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its stream; 0 for the connection.
    pub stream: u32,
    /// What stands behind its head.
    pub payload: Vec<u8>,
}

/// A frame's bytes; nothing is held against any rule.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A header block of literal fields without indexing and without Huffman coding (RFC 7541 section 6.2.2).
pub fn block<N: AsRef<[u8]>, V: AsRef<[u8]>>(fields: &[(N, V)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        string(&mut block, name.as_ref());
        string(&mut block, value.as_ref());
    }
    block
}

fn string(block: &mut Vec<u8>, text: &[u8]) {
    // An integer with a prefix of seven bits (RFC 7541 section 5.1).
    match text.len() {
        short @ 0..127 => block.push(short as u8),
        long => {
            block.push(127);
            let mut rest = long - 127;
            while rest >= 128 {
                block.push((rest % 128) as u8 | 128);
                rest /= 128;
            }
            block.push(rest as u8);
        }
    }
    block.extend(text);
}

/// What came next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A frame.
    Frame(Frame),
    /// The connection's end.
    Closed,
    /// Nothing for as long as was waited.
    Silence,
}

/// What became of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A whole answer with this status.
    Answer(u16),
    /// RST_STREAM with this code, before a whole answer.
    Reset(u32),
    /// GOAWAY with this code; not NO_ERROR.
    GoAway(u32),
    /// The connection ended without a word about it.
    Closed,
    /// Nothing.
    Silence,
}

/// An open connection; SETTINGS are acknowledged by themselves.
pub struct H2Frames {
    conn: Conn,
    bytes: Vec<u8>,
}

impl Client {
    /// The handshake with HTTP/2 as the only offer; nothing of it is sent yet.
    pub async fn connect_frames(&self, port: u16, name: &str) -> Result<H2Frames, Broken> {
        let conn = self.clone().alpn(&["h2"]).connect(port, name).await?;
        Ok(H2Frames { conn, bytes: Vec::new() })
    }

    /// The same with the preface sent, and SETTINGS that keep the server's header compression from remembering.
    pub async fn open_frames(&self, port: u16, name: &str) -> Result<H2Frames, Broken> {
        let mut frames = self.connect_frames(port, name).await?;
        let settings = frame(kind::SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0]);
        frames.send(&[PREFACE, &settings].concat()).await?;
        Ok(frames)
    }
}

impl H2Frames {
    /// Sends these bytes as they are.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.conn.send_raw(bytes).await
    }

    /// The next frame that comes within `patience`.
    pub async fn next(&mut self, patience: Duration) -> Heard {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            if let Some(frame) = self.take() {
                if frame.kind == kind::SETTINGS && frame.flags & flag::ACK == 0 {
                    let _ = self.send(&self::frame(kind::SETTINGS, flag::ACK, 0, &[])).await;
                }
                return Heard::Frame(frame);
            }
            match tokio::time::timeout_at(deadline, self.conn.read_some()).await {
                Err(_) => return Heard::Silence,
                Ok(Ok(more)) if !more.is_empty() => self.bytes.extend(more),
                Ok(_) => return Heard::Closed,
            }
        }
    }

    /// Reads on until this stream or the connection is over.
    pub async fn fate(&mut self, stream: u32, patience: Duration) -> Fate {
        let mut status = 0;
        loop {
            let frame = match self.next(patience).await {
                Heard::Frame(frame) => frame,
                Heard::Closed => return Fate::Closed,
                Heard::Silence => return Fate::Silence,
            };
            let code = |at: usize| {
                let bytes = frame.payload.get(at..at + 4).expect("a whole code");
                u32::from_be_bytes(bytes.try_into().expect("four bytes"))
            };
            match frame.kind {
                kind::GOAWAY if code(4) != 0 => return Fate::GoAway(code(4)),
                kind::RST_STREAM if frame.stream == stream => return Fate::Reset(code(0)),
                kind::HEADERS if frame.stream == stream && status == 0 => status = status_of(&frame.payload),
                _ => {}
            }
            let over = frame.flags & flag::END_STREAM != 0;
            if over && frame.stream == stream && matches!(frame.kind, kind::DATA | kind::HEADERS) {
                return Fate::Answer(status);
            }
        }
    }

    fn take(&mut self) -> Option<Frame> {
        let head = self.bytes.get(..9)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        if self.bytes.len() < 9 + length {
            return None;
        }
        let rest = self.bytes.split_off(9 + length);
        let whole = std::mem::replace(&mut self.bytes, rest);
        let stream = u32::from_be_bytes([whole[5], whole[6], whole[7], whole[8]]);
        Some(Frame { kind: whole[3], flags: whole[4], stream, payload: whole[9..].to_vec() })
    }
}

/// The status at the beginning of an answer's header block; 0 where it cannot be read.
fn status_of(block: &[u8]) -> u16 {
    // A change of the table's size may stand before it.
    let skipped = block.iter().take_while(|byte| **byte & 0xe0 == 0x20).count();
    let block = &block[skipped..];
    match block {
        [byte @ 0x88..=0x8e, ..] => [200, 204, 206, 304, 400, 404, 500][usize::from(byte - 0x88)],
        [0x48 | 0x08 | 0x18, length, text @ ..] => {
            let text = &text[..usize::from(length & 127).min(text.len())];
            if length & 128 == 0 { number(text) } else { number(&digits(text)) }
        }
        _ => 0,
    }
}

fn number(text: &[u8]) -> u16 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Huffman-coded digits (RFC 7541 appendix B): 0 to 2 have five bits, 3 to 9 six.
fn digits(coded: &[u8]) -> Vec<u8> {
    let bits: Vec<u8> = coded.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    let (mut at, mut text) = (0, Vec::new());
    let value = |from: usize, count: usize| {
        Some(bits.get(from..from + count)?.iter().fold(0, |all, bit| all << 1 | bit))
    };
    while let Some(short) = value(at, 5) {
        if short <= 2 {
            text.push(b'0' + short);
            at += 5;
        } else if let Some(long @ 0b011001..=0b011111) = value(at, 6) {
            text.push(b'3' + long - 0b011001);
            at += 6;
        } else {
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_as_integers_with_a_prefix() {
        assert_eq!(block(&[("a", "bc")]), b"\0\x01a\x02bc");
        let long = block(&[("a", "x".repeat(1337))]);
        assert_eq!(&long[3..6], [127, 0b1011_1010, 0b0000_1001]);
    }

    #[test]
    fn a_status_is_read_in_every_form_that_servers_write() {
        assert_eq!(status_of(&[0x88]), 200);
        assert_eq!(status_of(&[0x20, 0x8d]), 404);
        assert_eq!(status_of(b"\x48\x03421"), 421);
        assert_eq!(status_of(&[0x48, 0x82, 0x64, 0x02]), 302);
        assert_eq!(status_of(&[0x08, 0x82, 0x68, 0x01]), 401);
        assert_eq!(status_of(&[0x48]), 0, "cut short");
    }
}
