//! What an attacker would try, one theme a file: the real binary, judged by what the upstream saw.

mod certificates;
mod framing;
mod handshake;
mod headers;
mod hosts;
mod http2;
mod limits;
mod support;
mod text;
