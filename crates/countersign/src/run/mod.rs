//! `countersign run`: a supervisor, the gate that it starts, and the short-lived process that signs for it.
//!
//! The process that faces the internet never reads a CA key: it asks the supervisor, which starts this binary once more
//! for that and waits for its end. In reading order:
//!
//! - [`supervise`]: the supervisor. [`control`]: what it and the gate say to each other. [`lock`]: one of them only.
//!   [`signals`]: what both listen to.
//! - [`gate`]: the gate's process. [`state`]: what the gate runs on. [`follow`]: following the registry.
//! - [`snapshot_file`]: the last policy on disk. [`denials`]: what a restored registry may not forget.
//! - [`events`]: what the gate reports. [`certificates`], [`upkeep`]: what is signed for it.

pub mod certificates;
pub mod control;
mod denials;
mod events;
mod follow;
pub mod gate;
mod lock;
mod signals;
pub mod snapshot_file;
mod state;
pub mod supervise;
pub mod upkeep;

use std::path::PathBuf;
use std::time::Duration;

use crate::config::{Settings, StateDir};

pub use lock::{live, running};
pub use supervise::{Run, Supervision};

/// How long running exchanges may take to end after SIGTERM.
pub const DRAIN: Duration = Duration::from_secs(10);

/// The names that need an own server certificate: sites with `own-ca`, and the admin address.
pub fn server_names(settings: &Settings) -> Vec<String> {
    let own = settings
        .sites
        .values()
        .filter(|site| site.certificate == crate::config::keys::CertificateFile::OwnCa);
    own.map(|site| site.name.to_string()).chain([certificates::ADMIN.to_owned()]).collect()
}

/// Where the last policy is kept. `COUNTERSIGN_SNAPSHOT_KEY_FILE` puts its key on another file system.
pub fn snapshot_place(state_dir: &StateDir) -> snapshot_file::Place {
    let key = std::env::var_os("COUNTERSIGN_SNAPSHOT_KEY_FILE").map(PathBuf::from);
    snapshot_file::Place {
        file: state_dir.path().join("snapshot").join("last"),
        key: key.unwrap_or_else(|| state_dir.path().join("snapshot.key")),
    }
}
