//! The network side of the check: a server examined from outside.
//!
//! - [`target`]: what was typed, as a host and a port.
//! - [`route`]: the name resolved once, and a connection to one of its addresses; what is spoken before TLS slots in
//!   here.
//! - [`bounded`]: a connection that ends after so many bytes.
//! - [`look`]: the handshakes, and what they showed.
//! - [`fetched`]: what the certificates of a chain name.
//!
//! A deadline holds for everything. Nothing of what is seen here is trusted: it goes to the examiner as it came.

mod bounded;
pub mod fetched;
mod look;
mod route;
mod target;

use bounded::Bounded;
pub use look::{Asked, Looked, Own, Served, look};
use route::{Connection, Route, RouteError, resolve};
pub use target::{Target, TargetError};
