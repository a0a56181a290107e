//! `state`: copies of everything that the gate and the authority know, and the way back from one.
//!
//! A copy is a directory: the files as they stand in the state directory, the configuration, and `manifest.json`, which
//! is written last and names each file with its SHA-256.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use aws_lc_rs::digest::{Context as Digest, SHA256};
use clap::Subcommand;
use examiner::UnixTime;
use serde::{Deserialize, Serialize};

use super::{Exit, Failure, Globals};

mod backup;
mod restore;

/// `countersign state …`.
#[derive(Debug, Subcommand)]
pub enum Args {
    /// Copy registry, authority, revocation lists and configuration, while the gate runs.
    Backup(backup::Args),
    /// Put a copy back in its place; nothing that is there is lost.
    Restore(restore::Args),
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(match args {
        Args::Backup(args) => backup::run(globals, &args),
        Args::Restore(args) => restore::run(globals, &args),
    })
}

/// The name of the list of files.
const MANIFEST: &str = "manifest.json";
/// The registry's name, in the state directory and in a copy.
const REGISTRY: &str = "registry.db";
/// The configuration's name in a copy.
const CONFIGURATION: &str = "countersign.toml";
/// The passphrase's name, in the state directory and in a copy.
const PASSPHRASE: &str = "ca.passphrase";
/// What says how far the state had come: a restored one is held against it, so it is never put back over a newer one.
const WITNESSES: [&str; 2] = ["audit-heads", "audit.key"];
/// What else is copied, with all that is below.
const COPIED: [&str; 3] = ["ca.passphrase-file", "ca", "crl"];

/// What a copy holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// 1.
    format: u32,
    /// The program's version that made it.
    program: String,
    /// When.
    made_at: UnixTime,
    /// The registry's incarnation.
    epoch: String,
    /// The number of the registry's last change, or of one before it.
    change: i64,
    /// Its files.
    files: Vec<Entry>,
}

/// One file of a copy.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Its path below the copy's directory.
    name: PathBuf,
    /// Its length in bytes.
    length: u64,
    /// Its SHA-256, hex.
    sha256: String,
}

/// Whether a name of a manifest may be written: one of ours, and nowhere else.
fn is_ours(name: &Path) -> bool {
    let parts: Option<Vec<&str>> = name
        .components()
        .map(|part| match part {
            Component::Normal(part) => part.to_str(),
            _ => None,
        })
        .collect();
    let first = parts.as_deref().and_then(|parts| parts.first().copied());
    let alone =
        [REGISTRY, CONFIGURATION, PASSPHRASE].into_iter().chain(WITNESSES).any(|ours| Some(ours) == first);
    match first {
        Some(_) if alone => parts.is_some_and(|parts| parts.len() == 1),
        Some(first) => COPIED.contains(&first),
        None => false,
    }
}

/// Copies one file to a new one of mode 0600 and onto the disk; its length and SHA-256, hex.
fn copy(from: &Path, to: &Path) -> Result<(u64, String), Failure> {
    if let Some(folder) = to.parent() {
        authority::files::private_directory(folder)?;
    }
    let mut source = File::open(from).map_err(|error| Failure::file(from, "read", &error))?;
    let written = |error: std::io::Error| Failure::file(to, "written", &error);
    let mut options = File::options();
    let mut target = options.write(true).create_new(true).mode(0o600).open(to).map_err(written)?;
    let (mut digest, mut length, mut buffer) = (Digest::new(&SHA256), 0, vec![0; 64 * 1024]);
    loop {
        let read = source.read(&mut buffer).map_err(|error| Failure::file(from, "read", &error))?;
        if read == 0 {
            break;
        }
        digest.update(&buffer[..read]);
        target.write_all(&buffer[..read]).map_err(written)?;
        length += read as u64;
    }
    target.sync_all().map_err(written)?;
    Ok((length, hex(digest)))
}

/// Length and SHA-256, hex, of a file.
fn measure(file: &Path) -> Result<(u64, String), Failure> {
    let unread = |error: std::io::Error| Failure::file(file, "read", &error);
    let mut source = File::open(file).map_err(unread)?;
    let (mut digest, mut length, mut buffer) = (Digest::new(&SHA256), 0, vec![0; 64 * 1024]);
    loop {
        let read = source.read(&mut buffer).map_err(unread)?;
        if read == 0 {
            return Ok((length, hex(digest)));
        }
        digest.update(&buffer[..read]);
        length += read as u64;
    }
}

fn hex(digest: Digest) -> String {
    digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The moment as it may stand in a file's name.
fn stamp(at: UnixTime) -> String {
    at.to_string().replace(['-', ':'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_written_and_nowhere_else() {
        for name in
            ["registry.db", "audit-heads", "audit.key", "ca/root.key", "crl/own.crl", "crl/fetched/a/b"]
        {
            assert!(is_ours(Path::new(name)), "{name}");
        }
        for name in [
            "",
            "/etc/passwd",
            "../registry.db",
            "ca/../../x",
            "registry.db/x",
            "epoch",
            "snapshot/last",
            "run.lock",
            "./..",
            "countersign.toml/x",
            "operator.key",
        ] {
            assert!(!is_ours(Path::new(name)), "{name}");
        }
    }
}
