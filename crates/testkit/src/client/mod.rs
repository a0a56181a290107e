//! A TLS client for what curl cannot do: alerts as numbers, kept connections, raw bytes, a borrowed certificate.
//!
//! Under TLS 1.3 the client's handshake is over before the server has judged its certificate: then
//! [`Client::connect`] succeeds and the alert comes with the first read. [`Client::knock`] covers both.

mod broken;
mod connect;
pub mod frames;
mod h1;
mod h2;

pub use broken::Broken;
pub use connect::{Always, Client};
pub use frames::{Fate, H2Frames, Heard};
pub use h1::Conn;
pub use h2::{H2Conn, H2Stream};

/// The fields that ask for a WebSocket over HTTP/1.1, with the key of RFC 6455 section 1.3.
pub const WEBSOCKET: [(&str, &str); 4] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];
