//! The key that signs the audit's heads.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use aws_lc_rs::hmac;

use crate::error::{RegistryError, Result};
use crate::rows::hex;

/// The key that signs the audit's heads: 32 octets, kept as 64 hexadecimal digits in a file of mode 0600.
///
/// Whoever can change the database and read this key can rewrite the audit. So it is best kept where only the gate and
/// the commands can read it, off the disk that holds the database.
#[derive(Clone)]
pub struct AuditKey(hmac::Key);

impl AuditKey {
    /// The key in this file. `Err(AuditKey)` if there is none, if others than its owner can reach it, or if it holds
    /// something else.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |what: String| RegistryError::AuditKey { path: path.into(), what };
        let exposed =
            |mode: u32| format!("has mode {:04o}; others than its owner can reach it", mode & 0o7777);
        let metadata = path.metadata().map_err(|error| wrong(format!("cannot be read: {error}")))?;
        if metadata.mode() & 0o077 != 0 {
            return Err(wrong(exposed(metadata.mode())));
        }
        let text =
            std::fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let octets = examiner::Thumbprint::from_hex(text.trim_end())
            .ok_or_else(|| wrong("does not hold 64 hexadecimal digits".into()))?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &octets.0)))
    }

    /// The key in this file, made if there is none.
    pub(crate) fn read_or_make(path: &Path) -> Result<Self> {
        if !path.exists() {
            make(path).map_err(|error| RegistryError::AuditKey {
                path: path.into(),
                what: format!("cannot be made: {error}"),
            })?;
        }
        Self::read(path)
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 32] {
        let tag = hmac::sign(&self.0, message);
        let mut signature = [0; 32];
        signature.copy_from_slice(tag.as_ref());
        signature
    }
}

/// Shows nothing of the key.
impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey(..)")
    }
}

/// Writes a new key, whole or not at all; of two who do, one wins.
fn make(path: &Path) -> std::io::Result<()> {
    let mut random = [0; 40];
    getrandom::fill(&mut random).map_err(|error| std::io::Error::other(error.to_string()))?;
    let (octets, suffix) = random.split_at(32);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}", hex(suffix)));
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&temporary)?;
    let written = file.write_all(format!("{}\n", hex(octets)).as_bytes()).and_then(|()| file.sync_all());
    // A hard link, unlike a rename, fails where the name is taken.
    let named = written.and_then(|()| match std::fs::hard_link(&temporary, path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    });
    let _ = std::fs::remove_file(&temporary);
    named
}
