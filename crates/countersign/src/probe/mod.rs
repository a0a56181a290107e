//! The network side of the check.
//!
//! - [`fetched`]: what the certificates of a chain name.

pub mod fetched;
