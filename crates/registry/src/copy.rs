//! A whole copy of the database, taken while others use it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sqlx::SqlitePool;

use crate::error::{RegistryError, Result};
use crate::open::{Registry, options};
use crate::rows::damaged;

impl Registry {
    /// Writes a whole copy to a new file of mode 0600, on the disk when this returns. A change that somebody makes
    /// meanwhile is in it whole or not at all.
    ///
    /// `Err(Conflict)` if the file exists.
    pub async fn copy_to(&self, target: &Path) -> Result<()> {
        let mut options = OpenOptions::new();
        let made = options.write(true).create_new(true).mode(0o600).open(target);
        let file = made.map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                RegistryError::conflict(format!("{} exists already", target.display()))
            }
            _ => RegistryError::Storage(sqlx::Error::Io(error)),
        })?;
        let done = vacuum_into(self.path(), target, &file).await;
        if done.is_err() {
            let _ = std::fs::remove_file(target);
        }
        done
    }
}

/// Copies the database at `path` into the empty file `target`, and that onto the disk.
pub(crate) async fn vacuum_into(path: &Path, target: &Path, file: &File) -> Result<()> {
    // A connection of its own: `VACUUM INTO` runs in no transaction, and others may hold one.
    let reader = SqlitePool::connect_with(options(path)).await?;
    let name = target.to_str().ok_or_else(|| damaged("its path is no UTF-8 text"))?;
    sqlx::query("VACUUM INTO ?1").bind(name).execute(&reader).await?;
    reader.close().await;
    file.sync_all().map_err(sqlx::Error::Io)?;
    Ok(())
}
