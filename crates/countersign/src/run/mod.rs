//! `countersign run`: a supervisor, the gate that it starts, and the authority's process, which signs.
//!
//! The process that faces the internet never reads a CA key: it asks the supervisor, which asks the authority's process.
//! Where no CA's key is, a short-lived process looks after what is old. In reading order:
//!
//! - [`supervise`]: the supervisor. [`children`]: what it starts. [`due`]: what it has signed. [`control`]: what it and the gate say to each other. [`lock`]: one of them only.
//!   [`signals`]: what both listen to. [`notify`]: what the service manager is told.
//! - [`upgrade`]: one supervisor takes over from another; [`successor`], [`predecessor`]: the other one, as each sees it. [`sockets`]: what is
//!   listened on, and outlives processes. [`passing`]: how descriptors get from one to another.
//! - [`gate`]: the gate's process. [`state`]: what the gate runs on. [`follow`]: following the registry.
//!   [`receipts`]: when it is told how far the gate has come.
//!   [`watch`]: files that are renewed while it runs.
//! - [`snapshot_file`]: the last policy on disk. [`humble`]: what is not urgent. [`denials`]: what a restored registry may not forget.
//! - [`signing`]: the authority's process, and what can be asked of it. [`confine`]: what it and the gate give up.
//! - [`renewing`], [`enrolling`]: what the gate passes on to it for people and machines.
//! - [`errand`]: what is done again and again by a process that ends. [`fetching`]: one asks for the lists of trusted issuers. [`noticing`]: one
//!   sends notices. [`ordering`]: one orders certificates. [`proving`]: one asks hosts inside for the proof of their names.
//! - [`ocsp`]: a process of its own answers about single certificates.
//! - [`events`]: what the gate reports. [`figures`]: what its metrics say of the policy. [`certificates`],
//!   [`upkeep`]: what is signed for it.

pub mod certificates;
mod children;
pub mod confine;
pub mod control;
mod denials;
mod due;
mod enrolling;
mod errand;
pub mod events;
mod fetching;
mod figures;
mod follow;
pub mod gate;
mod humble;
mod lists;
mod lock;
mod noticing;
mod notify;
pub mod ocsp;
mod ordering;
mod passing;
pub mod predecessor;
mod proving;
mod receipts;
pub mod renewing;
mod signals;
pub mod signing;
pub mod snapshot_file;
pub mod sockets;
mod state;
pub mod successor;
pub mod supervise;
mod upgrade;
pub mod upkeep;
pub mod upstreams;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use crate::config::{Settings, StateDir};

pub use children::take_name;
pub use lock::{live, running, take as take_lock};
pub use predecessor::Inherited;
pub use successor::Program;
pub use supervise::{Run, Supervision};

/// How long running exchanges may take to end after SIGTERM.
pub const DRAIN: Duration = Duration::from_secs(10);

/// The names that need an own server certificate: sites with `own-ca`, those that wait for their first certificate by ACME,
/// and the admin address.
pub fn server_names(settings: &Settings) -> Vec<String> {
    let own = settings
        .sites
        .values()
        .filter(|site| !matches!(site.certificate, crate::config::keys::CertificateFile::Files { .. }));
    let mut names: Vec<String> = own.map(|site| site.name.to_string()).collect();
    let enrol = settings.enrol.iter().map(|enrol| enrol.host.to_string());
    names.extend(enrol.filter(|host| settings.sites.keys().all(|site| site.as_str() != host)));
    names.push(certificates::ADMIN.to_owned());
    names
}

/// Where the last policy is kept. `COUNTERSIGN_SNAPSHOT_KEY_FILE` puts its key on another file system.
pub fn snapshot_place(state_dir: &StateDir) -> snapshot_file::Place {
    let key = std::env::var_os("COUNTERSIGN_SNAPSHOT_KEY_FILE").map(PathBuf::from);
    snapshot_file::Place {
        file: state_dir.path().join("snapshot").join("last"),
        key: key.unwrap_or_else(|| state_dir.path().join("snapshot.key")),
    }
}
