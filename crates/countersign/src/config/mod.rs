//! The configuration: as written, and as the program runs on it.
//!
//! - [`mod@file`]: the shape of `countersign.toml`; [`read`]: text to that shape, with every problem in one run.
//! - [`problem`]: what is wrong, where, and what to do.
//! - [`settings`]: what holds: file and registry together, validated. [`site`], [`upstream`], [`manners`], [`ca`],
//!   [`crl`] with [`fetched`], and [`limits`] do their part; [`keys`] and [`sizes`] read values that can be written in more than one way.
//!   [`enrol`]: the address where machines renew. [`notify`]: who is told that certificates end.
//!   [`profiles`]: what certificates of parties there are.
//!   [`addresses`]: where others find lists and OCSP. [`acme`]: where a site's certificate is ordered.
//! - [`schema`]: the shape for editors.
//! - [`state`]: the state directory and the names of its files. [`passphrase`]: where what opens the CA's keys is.

pub mod acme;
pub mod addresses;
pub mod ca;
pub mod crl;
pub mod enrol;
pub mod fetched;
pub mod file;
pub mod keys;
pub mod limits;
pub mod manners;
pub mod notify;
pub mod passphrase;
pub mod problem;
pub mod profiles;
pub mod read;
pub mod schema;
pub mod seen;
pub mod settings;
pub mod site;
pub mod sizes;
pub mod state;
pub mod stored;
pub mod upstream;

pub use problem::{Problem, Problems};
pub use settings::Settings;
pub use state::StateDir;
pub use stored::Stored;
