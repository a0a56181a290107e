//! A TLS client for what curl cannot do: alerts as numbers, kept connections, raw bytes, a borrowed certificate.
//!
//! Under TLS 1.3 the client's handshake is over before the server has judged its certificate: then
//! [`Client::connect`] succeeds and the alert comes with the first read. [`Client::knock`] covers both.

mod broken;
mod connect;
mod h1;
mod h2;

pub use broken::Broken;
pub use connect::Client;
pub use h1::Conn;
pub use h2::{H2Conn, H2Stream};
