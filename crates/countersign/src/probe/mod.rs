//! The network side of the check: a server examined from outside.
//!
//! - [`target`]: what was typed, as a host and a port.
//! - [`route`]: the name resolved once, and a connection to one of its addresses; what is spoken before TLS slots in
//!   here.
//! - [`bounded`]: a connection that ends after so many bytes.
//!
//! A deadline holds for everything. Nothing of what is seen here is trusted: it goes to the examiner as it came.

mod bounded;
mod route;
mod target;

pub use bounded::Bounded;
pub use route::{Connection, Route, RouteError, Stream, resolve};
pub use target::{Target, TargetError};
