//! The real binary in a directory of its own.
//!
//! [`Binary`] is its path, [`Sandbox`] a directory to run it in, [`Gate`] a running `countersign run`, [`Portal`]
//! the whole: echo upstream, configured site, running gate, parties.

mod heir;
mod portal;
mod running;
mod sandbox;

pub use heir::Heir;
pub use portal::{Party, Portal, PortalBuilder, SITE};
pub use running::Gate;
pub use sandbox::{Binary, Sandbox, free_port};
