//! The store: one connection that writes, a few that read.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use examiner::UnixTime;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::audit::HeadsFile;
use crate::error::{RegistryError, Result};
use crate::migrate::migrate;
use crate::rows::hex;
use crate::schema;

/// The registry. Copies share their connections.
#[derive(Clone, Debug)]
pub struct Registry {
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    pub(crate) heads: Arc<HeadsFile>,
    epoch: Arc<str>,
}

/// Who makes a change, for the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The operator's name, or the local user's.
    pub name: String,
}

impl Registry {
    /// Makes a new registry, readable by its owner alone, with a random epoch.
    ///
    /// `Err(Conflict)` if the file exists.
    pub async fn create(path: &Path, now: UnixTime) -> Result<Self> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(
            |error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    RegistryError::conflict(format!("{} exists already", path.display()))
                }
                _ => RegistryError::Storage(sqlx::Error::Io(error)),
            },
        )?;
        let made = Self::fill(path, now).await;
        if made.is_err() {
            let _ = std::fs::remove_file(path);
        }
        made?;
        Self::open(path).await
    }

    /// Opens a registry; an older one is migrated, after a copy of its file.
    ///
    /// `Err(Missing)` without a file, `Err(Newer)` if a newer version wrote it, `Err(Damaged)` if it is no registry.
    pub async fn open(path: &Path) -> Result<Self> {
        if !path.is_file() {
            return Err(RegistryError::Missing { path: path.into() });
        }
        let writer = writer(path).await?;
        migrate(path, &writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .test_before_acquire(false)
            .connect_with(options(path).pragma("query_only", "ON"))
            .await?;
        let epoch: String = sqlx::query_scalar("SELECT epoch FROM meta").fetch_one(&writer).await?;
        let heads = Arc::new(HeadsFile::beside(path, &epoch));
        Ok(Self { writer, readers, heads, epoch: epoch.into() })
    }

    /// This incarnation of the database: 32 random hexadecimal digits, new at each creation.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    async fn fill(path: &Path, now: UnixTime) -> Result<()> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            RegistryError::Storage(sqlx::Error::Io(std::io::Error::other(error.to_string())))
        })?;
        let writer = writer(path).await?;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::raw_sql(schema::CREATE).execute(&mut *tx).await?;
        sqlx::query("INSERT INTO meta (only, epoch, created_at) VALUES (1, ?1, ?2)")
            .bind(hex(&random))
            .bind(now.seconds())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        writer.close().await;
        Ok(())
    }
}

pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
}

/// One connection, kept: whoever writes waits here before waiting on SQLite's lock.
async fn writer(path: &Path) -> Result<SqlitePool> {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options(path))
        .await?;
    Ok(pool)
}
