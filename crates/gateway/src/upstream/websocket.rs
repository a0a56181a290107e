//! The WebSocket handshake (RFC 6455, and RFC 8441 on HTTP/2), and where a WebSocket's frames end.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{Method, Request, StatusCode, Version};
use hyper::body::Body;
use hyper::ext::Protocol;
use hyper::upgrade::OnUpgrade;

use crate::received::Received;

/// RFC 6455 section 1.3: what the accept value is made with.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");

/// Close codes of RFC 6455 section 7.4.1.
pub(crate) const GOING_AWAY: u16 = 1001;
pub(crate) const POLICY_VIOLATION: u16 = 1008;

/// A client's wish to speak WebSocket.
pub(crate) struct Wish {
    key: HeaderValue,
    /// The client's side, where HTTP/2 gives it; on HTTP/1.1 it is the connection itself.
    pub(crate) client: Option<OnUpgrade>,
}

/// Whether the request asks for an extended CONNECT to a WebSocket.
pub(crate) fn is_extended(request: &Request<Received>) -> bool {
    request.method() == Method::CONNECT
        && request.extensions().get::<Protocol>().is_some_and(|protocol| protocol.as_str() == "websocket")
}

/// The wish for a WebSocket, if the request has one; an error says why it cannot be one.
///
/// Words of other upgrades, and of one that HTTP/1.1 could not carry out, are none: they are swept out.
pub(crate) fn wish(request: &mut Request<Received>) -> Result<Option<Wish>, &'static str> {
    if is_extended(request) {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| "No WebSocket key could be made")?;
        let key = HeaderValue::try_from(STANDARD.encode(random)).map_err(|_| "No WebSocket key")?;
        return Ok(Some(Wish { key, client: Some(hyper::upgrade::on(request)) }));
    }
    let headers = request.headers();
    let asked = request.version() == Version::HTTP_11
        && request.method() == Method::GET
        && lists(headers, &UPGRADE, "websocket")
        && lists(headers, &CONNECTION, "upgrade");
    if !asked {
        return Ok(None);
    }
    if !request.body().is_end_stream() {
        return Err("A request for a WebSocket has no body");
    }
    let mut keys = headers.get_all(SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err("A request for a WebSocket has one Sec-WebSocket-Key");
    };
    if STANDARD.decode(key.as_bytes()).map(|key| key.len()) != Ok(16) {
        return Err("The Sec-WebSocket-Key is not 16 bytes in base64");
    }
    Ok(Some(Wish { key: key.clone(), client: None }))
}

impl Wish {
    /// Makes swept headers those of an HTTP/1.1 handshake.
    pub(crate) fn set(&self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, WEBSOCKET);
        headers.insert(SEC_WEBSOCKET_KEY, self.key.clone());
        headers.entry(SEC_WEBSOCKET_VERSION).or_insert(HeaderValue::from_static("13"));
    }

    /// Whether the upstream's 101 agrees to this very handshake.
    pub(crate) fn is_granted(&self, headers: &HeaderMap) -> bool {
        let mut accepts = headers.get_all(SEC_WEBSOCKET_ACCEPT).iter();
        let expected = accept(self.key.as_bytes());
        let fits = accepts.next().is_some_and(|accept| accept.as_bytes() == expected.as_bytes());
        fits && accepts.next().is_none() && lists(headers, &UPGRADE, "websocket")
    }

    /// Makes the upstream's swept answer the client's: its status.
    pub(crate) fn answer(&self, headers: &mut HeaderMap) -> StatusCode {
        headers.remove(http::header::CONTENT_LENGTH);
        if self.client.is_some() {
            headers.remove(SEC_WEBSOCKET_ACCEPT);
            return StatusCode::OK;
        }
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, WEBSOCKET);
        StatusCode::SWITCHING_PROTOCOLS
    }
}

fn accept(key: &[u8]) -> String {
    // RFC 6455 fixes SHA-1; it proves nothing here but that the other side speaks WebSocket.
    let all = [key, GUID].concat();
    STANDARD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &all))
}

fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|one| one.trim().eq_ignore_ascii_case(word))
}

/// How far one direction of a WebSocket has come, read only as far as telling where frames end (RFC 6455 section 5.2).
#[derive(Clone, Default)]
pub(crate) struct Frames {
    head: [u8; 10],
    have: usize,
    payload: u64,
    closed: bool,
}

impl Frames {
    /// Nothing is half said.
    pub(crate) fn is_at_end(&self) -> bool {
        self.have == 0 && self.payload == 0
    }

    /// A close frame has passed.
    pub(crate) fn has_closed(&self) -> bool {
        self.closed
    }

    /// Takes what was passed on.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.step(bytes);
            bytes = &bytes[taken..];
        }
    }

    /// Takes bytes up to the end of the frame that is under way; how many.
    pub(crate) fn take_rest(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() && !self.is_at_end() {
            taken += self.step(&bytes[taken..]);
        }
        taken
    }

    fn step(&mut self, bytes: &[u8]) -> usize {
        if self.payload > 0 {
            let taken = usize::try_from(self.payload).unwrap_or(usize::MAX).min(bytes.len());
            self.payload -= taken as u64;
            return taken;
        }
        self.head[self.have] = bytes[0];
        self.have += 1;
        if self.have >= 2 && self.have == self.head_length() {
            self.have = 0;
            self.closed |= self.head[0] & 0x0f == 8;
            let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
            let length = match self.head[1] & 0x7f {
                126 => u64::from(u16::from_be_bytes([self.head[2], self.head[3]])),
                127 => self.head[2..].iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
                short => short.into(),
            };
            self.payload = length.saturating_add(mask);
        }
        1
    }

    fn head_length(&self) -> usize {
        match self.head[1] & 0x7f {
            126 => 4,
            127 => 10,
            _ => 2,
        }
    }
}

/// A close frame as a server sends it.
pub(crate) fn close_frame(code: u16) -> [u8; 4] {
    let [high, low] = code.to_be_bytes();
    [0x88, 2, high, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_value_is_that_of_the_standard() {
        assert_eq!(accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    fn frame(first: u8, length: usize) -> Vec<u8> {
        let mut frame = vec![first];
        match length {
            0..=125 => frame.push(length as u8),
            126..=65_535 => {
                frame.push(126);
                frame.extend((length as u16).to_be_bytes());
            }
            _ => {
                frame.push(127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.resize(frame.len() + length, 0x88);
        frame
    }

    #[test]
    fn a_frame_ends_where_its_length_says_however_it_comes() {
        for length in [0, 1, 125, 126, 300, 65_535, 65_536, 100_000] {
            let whole = frame(0x82, length);
            for piece in [1, 7, 4096, whole.len()] {
                let mut frames = Frames::default();
                for (index, bytes) in whole.chunks(piece).enumerate() {
                    frames.take(bytes);
                    let done = (index + 1) * piece >= whole.len();
                    assert_eq!(frames.is_at_end(), done, "{length} in pieces of {piece}, piece {index}");
                }
                assert!(!frames.has_closed());
            }
            let two = [&whole[..], &frame(0x88, 2)].concat();
            let mut frames = Frames::default();
            assert_eq!(frames.take_rest(&two), 0, "nothing is half said at the beginning");
            frames.take(&two[..1]);
            assert_eq!(frames.take_rest(&two[1..]), whole.len() - 1, "{length}");
            assert!(frames.is_at_end() && !frames.has_closed());
            frames.take(&two[whole.len()..]);
            assert!(frames.is_at_end() && frames.has_closed());
        }
    }
}
