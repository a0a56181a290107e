//! The store: one connection that writes, a few that read.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use examiner::UnixTime;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection, SqlitePool};

use crate::audit::AuditEvent;
use crate::epoch::{EpochFile, Restored};
use crate::error::{RegistryError, Result};
use crate::heads::{self, HeadsFile, HowOften};
use crate::key::AuditKey;
use crate::migrate::{indexes, migrate};
use crate::retain::{stored_heads, stored_starts};
use crate::rows::{damaged, hex};
use crate::schema;

/// How every SQLite database begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How often heads and the feed's number are noted where nobody changes anything.
const SEAL_EVERY_SECONDS: i64 = 60;

/// The registry. Copies share their connections.
#[derive(Clone, Debug)]
pub struct Registry {
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    pub(crate) heads: Arc<HeadsFile>,
    pub(crate) epoch_file: EpochFile,
    path: Arc<Path>,
    key: AuditKey,
    epoch: Arc<str>,
    restored: Option<Arc<Restored>>,
    sealed: Arc<Mutex<Option<UnixTime>>>,
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

    /// Opens a registry with the audit's key beside it; an older one is migrated, after a copy of its file.
    ///
    /// `Err(Missing)` without a file, `Err(Newer)` if a newer version wrote it, `Err(Damaged)` if it is no registry,
    /// `Err(AuditKey)` without the key. One that was [restored](Self::restored) opens.
    pub async fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, None).await
    }

    /// Opens a registry like [`open`](Self::open), with the audit's key from elsewhere.
    pub async fn open_keyed(path: &Path, key: AuditKey) -> Result<Self> {
        Self::open_with(path, Some(key)).await
    }

    async fn open_with(path: &Path, key: Option<AuditKey>) -> Result<Self> {
        if !path.is_file() {
            return Err(RegistryError::Missing { path: path.into() });
        }
        must_be_database(path)?;
        let writer = writer(path).await?;
        migrate(path, &writer, key.as_ref()).await?;
        indexes(&writer).await?;
        let key = key.map_or_else(|| own_key(path), Ok)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .test_before_acquire(false)
            .connect_with(options(path).pragma("query_only", "ON"))
            .await?;
        let epoch_file = EpochFile::beside(path);
        let before = epoch_file.look().map_err(sqlx::Error::Io)?;
        let (epoch, seq): (String, i64) =
            sqlx::query_as("SELECT epoch, seq FROM meta").fetch_one(&writer).await?;
        let restored = epoch_file.compare(before, &epoch, seq).map_err(sqlx::Error::Io)?;
        let heads = Arc::new(HeadsFile::new(path, &epoch, key.clone()));
        Ok(Self {
            writer,
            readers,
            heads,
            epoch_file,
            path: path.into(),
            key,
            epoch: epoch.into(),
            restored: restored.map(Arc::new),
            sealed: Arc::default(),
        })
    }

    /// Whether this database was found to be restored from a copy, or to be another than the one noted beside it. It
    /// stays so until [confirmed](Self::confirm_restored); denials may be missing in it meanwhile.
    pub fn restored(&self) -> Option<&Restored> {
        self.restored.as_deref()
    }

    /// Takes a restored database as the one that holds from now on, and opens it anew: with a new epoch, so that every
    /// reader loads it whole, and with list numbers above any that was given out before.
    ///
    /// `Err(Conflict)` if it was not restored.
    pub async fn confirm_restored(self, actor: &Actor, now: UnixTime) -> Result<Self> {
        let Some(found) = &self.restored else {
            return Err(RegistryError::conflict("the registry was not restored from a copy"));
        };
        let epoch = new_epoch()?;
        let heads = HeadsFile::new(&self.path, &epoch, self.key.clone());
        let mut write = self.write(now).await?;
        // Lists are made at most once a second, so no number given out is as high as the time.
        sqlx::query("UPDATE meta SET epoch = ?1, crl_number = max(crl_number + 1, ?2)")
            .bind(&epoch)
            .bind(now.seconds())
            .execute(&mut *write.tx)
            .await?;
        // What was redeemed since the copy was made would be open again.
        sqlx::query("DELETE FROM invites").execute(&mut *write.tx).await?;
        sqlx::query("DELETE FROM acme_bindings").execute(&mut *write.tx).await?;
        write.audit(AuditEvent::changed(actor, now, format!("registry confirmed: {found}"))).await?;
        let seq = sqlx::query_scalar("SELECT seq FROM meta").fetch_one(&mut *write.tx).await?;
        let starts = stored_starts(&mut write.tx).await?;
        let newest = stored_heads(&mut write.tx).await?;
        heads.note_starts(&starts).map_err(sqlx::Error::Io)?;
        write.commit(&self).await?;
        for (writer, head) in &newest {
            heads.note(writer, head, now, HowOften::Always);
        }
        self.epoch_file.begin(&epoch, seq).map_err(sqlx::Error::Io)?;
        Self::open_keyed(&self.path, self.key.clone()).await
    }

    /// Whether the last sealing is a minute ago; if so, this one counts.
    pub(crate) fn is_seal_due(&self, now: UnixTime) -> bool {
        let mut sealed = self.sealed.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let due = sealed.is_none_or(|last| (now.seconds() - last.seconds()).abs() >= SEAL_EVERY_SECONDS);
        if due {
            *sealed = Some(now);
        }
        due
    }

    /// The database's file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// This incarnation of the database: 32 random hexadecimal digits, new at each creation.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    async fn fill(path: &Path, now: UnixTime) -> Result<()> {
        own_key(path)?;
        let epoch = new_epoch()?;
        let writer = writer(path).await?;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::raw_sql(schema::CREATE).execute(&mut *tx).await?;
        sqlx::query("INSERT INTO meta (only, epoch, created_at) VALUES (1, ?1, ?2)")
            .bind(&epoch)
            .bind(now.seconds())
            .execute(&mut *tx)
            .await?;
        EpochFile::beside(path).begin(&epoch, 0).map_err(sqlx::Error::Io)?;
        tx.commit().await?;
        writer.close().await;
        Ok(())
    }
}

/// `Err(Damaged)` for a file that does not begin as a database does. SQLite would make an empty one into a database, under
/// the hands of whoever is just copying one there.
fn must_be_database(path: &Path) -> Result<()> {
    let mut first = [0; MAGIC.len()];
    match File::open(path).and_then(|mut file| file.read_exact(&mut first)) {
        Ok(()) if first == *MAGIC => Ok(()),
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => {
            Err(RegistryError::Storage(sqlx::Error::Io(error)))
        }
        _ => Err(damaged(format!("{} holds no registry", path.display()))),
    }
}

fn new_epoch() -> Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|error| RegistryError::Storage(sqlx::Error::Io(std::io::Error::other(error.to_string()))))?;
    Ok(hex(&random))
}

/// The key beside the database; made where nothing was signed yet. A new one in place of a lost one would make all that
/// was signed look altered.
fn own_key(path: &Path) -> Result<AuditKey> {
    let key = key_beside(path);
    if std::fs::metadata(heads::beside(path)).is_ok_and(|file| file.len() > 0) {
        return AuditKey::read(&key);
    }
    AuditKey::read_or_make(&key)
}

pub(crate) fn key_beside(database: &Path) -> PathBuf {
    database.with_file_name("audit.key")
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
        .before_acquire(|connection, _| Box::pin(usable(connection)))
        .connect_with(options(path))
        .await?;
    Ok(pool)
}

/// Whether no transaction is left open on a connection that is taken again; another takes its place if one is.
///
/// Where the disk is full SQLite undoes a transaction by itself, the driver's own ROLLBACK then fails, and the
/// connection would count as within a transaction for ever: no later one could begin. The ping waits for that ROLLBACK.
async fn usable(connection: &mut SqliteConnection) -> std::result::Result<bool, sqlx::Error> {
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}
