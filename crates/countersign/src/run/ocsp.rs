//! Answers about single certificates (OCSP): signed in a process of its own, which holds no CA's key.
//!
//! The gate takes the question from the network, and may sign nothing. This process has keys of its own, made when it is
//! first asked and never written to a disk; the authority's process names each for a day ([`super::signing`]). In reading
//! order:
//!
//! - [`wire`]: how the gate asks.
//! - [`responder`]: what is answered, from the registry as it is at that moment. [`cas`]: for whom, and with which keys.
//! - [`serve`]: the process.

use std::path::PathBuf;

use crate::config::StateDir;

mod cas;
pub mod responder;
pub mod serve;
pub mod wire;

/// Where it is asked.
pub fn socket(state: &StateDir) -> PathBuf {
    state.path().join("ocsp.sock")
}
