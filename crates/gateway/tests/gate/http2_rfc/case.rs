//! A case: what a client sends, and what must come of it.

use std::time::Duration;

use testkit::client::frames::{block, flag, frame, kind};

pub(super) const PATIENCE: Duration = Duration::from_secs(10);
pub(super) const END: u8 = flag::END_STREAM | flag::END_HEADERS;

pub(super) const PROTOCOL: u32 = 1;
pub(super) const FLOW: u32 = 3;
pub(super) const CLOSED: u32 = 5;
pub(super) const SIZE: u32 = 6;
pub(super) const REFUSED: u32 = 7;
pub(super) const COMPRESSION: u32 = 9;

/// What must come of a case. More than one code stands where the RFC names more than one for it.
#[derive(Clone, Debug)]
pub(super) enum Must {
    /// The connection ends, with one of these codes where it says one (a GOAWAY may be left out, RFC 9113 section 5.4.1).
    End(&'static [u32]),
    /// This stream, or the connection, ends with one of these codes.
    Reset(u32, &'static [u32]),
    /// Stream 1 is reset with PROTOCOL_ERROR or answered 4xx, and no upstream hears of it.
    Malformed,
    /// Nothing bad: a PING is answered, and a request after it.
    Serve,
    /// Stream 1 is answered with 200, and then a request after it.
    Answer,
}
pub(super) use Must::{Answer, End, Malformed, Reset, Serve};

/// Clause, what is done, the bytes behind the first SETTINGS, bytes after stream 1 is over, what must come of it.
pub(super) struct Case {
    pub(super) clause: &'static str,
    pub(super) what: String,
    pub(super) first: Vec<u8>,
    pub(super) then: Option<Vec<u8>>,
    pub(super) must: Must,
}

pub(super) fn case(clause: &'static str, what: impl Into<String>, first: Vec<u8>, must: Must) -> Case {
    Case { clause, what: what.into(), first, then: None, must }
}

/// The second part is sent once stream 1 is over.
pub(super) fn after(clause: &'static str, what: &str, first: Vec<u8>, then: Vec<u8>, must: Must) -> Case {
    Case { clause, what: what.into(), first, then: Some(then), must }
}

pub(super) fn request(method: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![(":method", method), (":scheme", "https"), (":authority", "portal.test"), (":path", "/case")]
}

pub(super) fn head(stream: u32, flags: u8, method: &'static str) -> Vec<u8> {
    frame(kind::HEADERS, flags, stream, &block(&request(method)))
}

pub(super) fn get(stream: u32) -> Vec<u8> {
    head(stream, END, "GET")
}

/// The head of a request whose body follows.
pub(super) fn open(stream: u32) -> Vec<u8> {
    head(stream, flag::END_HEADERS, "POST")
}

pub(super) fn data(stream: u32, flags: u8, bytes: &[u8]) -> Vec<u8> {
    frame(kind::DATA, flags, stream, bytes)
}

pub(super) fn ping() -> Vec<u8> {
    frame(kind::PING, 0, 0, b"eightbyt")
}

pub(super) fn number(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

pub(super) fn setting(id: u16, value: u32) -> Vec<u8> {
    frame(kind::SETTINGS, 0, 0, &[&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
}

pub(super) fn window(stream: u32, more: u32) -> Vec<u8> {
    frame(kind::WINDOW_UPDATE, 0, stream, &number(more))
}

pub(super) fn reset(stream: u32) -> Vec<u8> {
    frame(kind::RST_STREAM, 0, stream, &number(8))
}

/// A request of this header block alone.
pub(super) fn raw(block: &[u8]) -> Vec<u8> {
    frame(kind::HEADERS, END, 1, block)
}

/// The block of a GET, with these bytes behind it.
pub(super) fn coded(rest: &[u8]) -> Vec<u8> {
    raw(&[&block(&request("GET")), rest].concat())
}

/// A GET with these fields instead of those of the same name, or beside them.
pub(super) fn fields(change: &[(&str, &str)]) -> Vec<u8> {
    let mut all: Vec<(String, String)> =
        request("GET").into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    for (name, value) in change {
        match all.iter_mut().find(|(known, _)| known == name && name.starts_with(':')) {
            Some(known) => known.1 = (*value).into(),
            None => all.push(((*name).into(), (*value).into())),
        }
    }
    raw(&block(&all))
}

/// A GET of exactly these fields.
pub(super) fn only(fields: &[(&str, &str)]) -> Vec<u8> {
    raw(&block(fields))
}
