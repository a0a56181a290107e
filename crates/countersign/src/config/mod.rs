//! The configuration: as written, and as the program runs on it.
//!
//! - [`mod@file`]: the shape of `countersign.toml`; [`read`]: text to that shape, with every problem in one run.
//! - [`problem`]: what is wrong, where, and what to do.
//! - [`settings`]: what holds: file and registry together, validated. [`site`], [`ca`], [`crl`] and [`limits`] do
//!   their part.
//! - [`schema`]: the shape for editors.
//! - [`state`]: the state directory and the names of its files.

pub mod ca;
pub mod crl;
pub mod file;
pub mod keys;
pub mod limits;
pub mod problem;
pub mod read;
pub mod schema;
pub mod settings;
pub mod site;
pub mod state;
pub mod stored;

pub use problem::{Problem, Problems};
pub use settings::Settings;
pub use state::StateDir;
pub use stored::Stored;
