//! Answers about single certificates (OCSP): signed in a process of its own, which holds no CA's key.
//!
//! The gate takes the question from the network, and may sign nothing; the CA's key is opened only by the process that
//! names a key for this, for a few days ([`super::upkeep`]). In reading order:
//!
//! - [`wire`]: how the gate asks.
//! - [`responder`]: what is answered, from the registry as it is at that moment.
//! - [`serve`]: the process.

use std::path::PathBuf;

use registry::Issuer;

use crate::config::StateDir;

pub mod responder;
pub mod serve;
pub mod wire;

/// Certificate and key by which one CA's certificates are answered for, as one PEM.
pub fn delegate(state: &StateDir, issuer: Issuer) -> PathBuf {
    state.ocsp().join(format!("{}.pem", issuer.word()))
}

/// Where it is asked.
pub fn socket(state: &StateDir) -> PathBuf {
    state.ocsp().join("socket")
}
