//! An older schema becomes the newest one, after a copy of the file.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use examiner::UnixTime;
use sqlx::SqlitePool;

use crate::copy::vacuum_into;
use crate::epoch::EpochFile;
use crate::error::{RegistryError, Result};
use crate::heads::HeadsFile;
use crate::key::AuditKey;
use crate::open::key_beside;
use crate::rows::damaged;
use crate::{schema, search};

/// Migrates what `writer` is connected to, if it is older.
///
/// `Err(Newer)` if a newer version wrote it, `Err(Damaged)` if it is no registry. The write lock is held from the look
/// at the version to the end, so that of two processes one migrates and the other finds it done.
pub(crate) async fn migrate(path: &Path, writer: &SqlitePool, key: Option<&AuditKey>) -> Result<()> {
    if version(path, writer.acquire().await?.as_mut()).await? == schema::VERSION {
        return Ok(());
    }
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
    let found = version(path, &mut tx).await?;
    if found == schema::VERSION {
        return Ok(());
    }
    let copy = copy(path, found).await?;
    let steps = usize::try_from(found - 1).ok().and_then(|done| schema::MIGRATIONS.get(done..));
    for step in steps.ok_or_else(|| damaged("its schema version is none"))? {
        sqlx::raw_sql(*step).execute(&mut *tx).await?;
    }
    if found == 1 {
        let (epoch, seq): (String, i64) =
            sqlx::query_as("SELECT epoch, seq FROM meta").fetch_one(&mut *tx).await?;
        files_of_version_2(path, &copy, &epoch, seq, key)?;
    }
    tx.commit().await?;
    tracing::info!(from = found, to = schema::VERSION, copy = %copy.display(), "the registry was migrated");
    Ok(())
}

/// Makes the indexes that are missing.
pub(crate) async fn indexes(writer: &SqlitePool) -> Result<()> {
    for (name, sql) in search::INDEXES {
        let has = sqlx::query("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?1").bind(name);
        if has.fetch_optional(writer).await?.is_none() {
            sqlx::raw_sql(sql).execute(writer).await?;
        }
    }
    Ok(())
}

/// Signs the heads that version 1 noted, and begins to note the feed's number. Done again it changes nothing.
fn files_of_version_2(path: &Path, copy: &Path, epoch: &str, seq: i64, key: Option<&AuditKey>) -> Result<()> {
    let key = match key {
        Some(key) => key.clone(),
        None => AuditKey::read_or_make(&key_beside(path))?,
    };
    let suffix =
        copy.to_string_lossy().rsplit_once(".v1-").map(|(_, moment)| format!("audit-heads.v1-{moment}"));
    let kept = path.with_file_name(suffix.unwrap_or_else(|| "audit-heads.v1".into()));
    HeadsFile::new(path, epoch, key).sign_version_1(&kept).map_err(sqlx::Error::Io)?;
    let noted = EpochFile::beside(path);
    if !noted.exists() {
        noted.begin(epoch, seq).map_err(sqlx::Error::Io)?;
    }
    Ok(())
}

async fn version(path: &Path, connection: &mut sqlx::SqliteConnection) -> Result<i64> {
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(connection).await?;
    match found {
        newer if newer > schema::VERSION => Err(RegistryError::Newer { found, known: schema::VERSION }),
        1.. => Ok(found),
        _ => Err(damaged(format!("{} holds no registry", path.display()))),
    }
}

/// A whole copy beside the database, such as `registry.db.v1-20270301T120000Z`, for its owner alone and on the disk.
async fn copy(path: &Path, version: i64) -> Result<PathBuf> {
    let (copy, file) = free_name(path, version).map_err(sqlx::Error::Io)?;
    vacuum_into(path, &copy, &file).await?;
    Ok(copy)
}

/// A new empty file of mode 0600, named after the version and the moment.
fn free_name(path: &Path, version: i64) -> std::io::Result<(PathBuf, File)> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let moment = UnixTime(i64::try_from(since).unwrap_or_default()).to_string().replace(['-', ':'], "");
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut copy = path.with_file_name(format!("{name}.v{version}-{moment}"));
    for number in 2.. {
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                copy = path.with_file_name(format!("{name}.v{version}-{moment}-{number}"));
            }
            made => return Ok((copy, made?)),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}
