//! HTTP/2 as it is on the wire: the types and flags of its frames (RFC 9113 sections 4.1 and 6).

/// Bytes of a frame's head.
pub(crate) const HEAD: usize = 9;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

/// On DATA and HEADERS: the last of its stream.
pub(crate) const END_STREAM: u8 = 1;
/// On SETTINGS and PING: an answer.
pub(crate) const ACK: u8 = 1;
/// On HEADERS and CONTINUATION: the header block is complete.
pub(crate) const END_HEADERS: u8 = 4;

/// Bytes behind this head.
pub(crate) fn length(head: &[u8; HEAD]) -> usize {
    u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize
}

/// The stream that this head names; 0 for the connection.
pub(crate) fn stream(head: &[u8; HEAD]) -> u32 {
    u32::from_be_bytes([head[5], head[6], head[7], head[8]])
}
