//! What an attacker would try, one theme a file: the real binary, judged by what the upstream saw.

mod big;
mod certificates;
mod elsewhere;
mod forger;
mod framing;
mod handshake;
mod headers;
mod hosts;
mod http2;
mod limits;
mod possession;
mod support;
mod text;
