//! The network side of the check.
//!
//! - [`fetched`]: what the certificates of a chain name.
//! - [`starttls`]: what is spoken before TLS; [`proxy`]: the way through an HTTP proxy.

pub mod fetched;
#[expect(dead_code, reason = "the look at a server stands on it")]
pub mod proxy;
#[expect(dead_code, reason = "the look at a server stands on it")]
pub mod starttls;
