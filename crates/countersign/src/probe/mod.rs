//! The network side of the check: a server examined from outside.
//!
//! - [`target`]: what was typed, as a host and a port.
//! - [`route`]: the name resolved once, and a connection to one of its addresses; on the way to TLS, [`proxy`] leads
//!   through an HTTP proxy, and [`starttls`] speaks what comes before TLS.
//! - [`public`]: the same where others choose the host: each address is judged, and no other is connected to.
//! - [`bounded`]: a connection that ends after so many bytes.
//! - [`mod@look`]: the handshakes, and what they showed.
//! - [`dns`]: what the DNS says of a host. [`fetched`]: what the certificates of a chain name.
//!
//! A deadline holds for everything. Nothing of what is seen here is trusted: it goes to the examiner as it came.

mod bounded;
pub mod dns;
pub mod fetched;
mod look;
pub mod proxy;
pub mod public;
mod route;
pub mod starttls;
mod target;

use bounded::Bounded;
pub use look::{Asked, Looked, Own, Served, look};
use route::{Connection, Opened, Route};
pub use route::{RouteError, Ways};
pub use target::{HTTPS, Target, TargetError};
