//! For tests only: what an end-to-end test needs around the real binary.
//!
//! Everything panics with the whole story instead of returning an error: a test has nobody to hand it to.
//! Read in this order:
//!
//! - [`times`]: fixed moments.
//! - [`process`]: a program run to its end within a deadline, with what it printed.
//! - [`waiting`]: for what another process does, and for async work.
//! - [`ca`]: a small CA; leaves right and wrong in every way a check looks for.
//! - [`echo`]: upstreams that return, count or record what reaches them.
//! - [`response`]: an HTTP answer, whichever client received it.
//! - [`client`]: a TLS client for what curl cannot do.
//! - [`gate`]: the real binary in a directory of its own, and a whole portal around it.
//! - [`tools`]: the real `curl` and `openssl`.
//! - [`browser`]: what Chromium needs to show a certificate.
//! - [`peers`]: mail servers, directories, databases: what speaks another protocol before TLS.
//! - [`systemd`]: a real systemd as process 1.
//! - [`markdown`]: the blocks of a page of the guide.

#![forbid(unsafe_code)]

pub mod browser;
pub mod ca;
pub mod client;
pub mod echo;
pub mod gate;
pub mod markdown;
pub mod peers;
pub mod process;
pub mod response;
pub mod systemd;
pub mod times;
pub mod tools;
pub mod waiting;

pub use browser::{Home, Policy};
pub use ca::{Access, CaBuilder, KeyType, Leaf, TestCa, TestCert, TestKey};
pub use client::{Broken, Client, Conn, Fate, H2Conn, H2Frames, Heard, WEBSOCKET};
pub use echo::{Echo, RawUpstream, chunked_end};
pub use gate::{Binary, Gate, Heir, Portal, PortalBuilder, SITE, Sandbox, free_port};
pub use process::Output;
pub use response::Response;
pub use tools::{CurlResult, SClient, curl, openssl, openssl_s_client};
pub use waiting::{block_on, eventually};
