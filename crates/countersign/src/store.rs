//! The registry, opened with the audit's key from where the operator keeps it.

use std::path::PathBuf;

use registry::{AuditKey, Registry};

use crate::config::StateDir;

/// Names the file of the audit's key, where that is kept outside the state directory.
const KEY_FILE: &str = "COUNTERSIGN_AUDIT_KEY_FILE";

/// Opens the registry of this state directory.
pub async fn open(state: &StateDir) -> registry::Result<Registry> {
    match std::env::var_os(KEY_FILE).map(PathBuf::from) {
        Some(key) => Registry::open_keyed(&state.database(), AuditKey::read(&key)?).await,
        None => Registry::open(&state.database()).await,
    }
}
