//! How long audit entries are kept, and how the chain stays verifiable without the old ones.

use std::collections::BTreeMap;

use examiner::UnixTime;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::audit::Head;
use crate::error::Result;
use crate::heads::HowOften;
use crate::open::Registry;
use crate::rows::digest;

impl Registry {
    /// Deletes the audit entries older than so many days, of each writer from its oldest on without a gap, and tells
    /// how many. To be called now and then, such as each hour.
    ///
    /// Where a chain then begins is kept as a checkpoint, in the database and, signed, in the heads' file. A deletion
    /// without a signed checkpoint is found by [`verify_audit`](Self::verify_audit).
    pub async fn retain(&self, now: UnixTime, days: u32) -> Result<u64> {
        let cutoff = now.plus(-i64::from(days) * 86_400);
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let rows = sqlx::query(
            "SELECT writer, number, id, hash FROM audit JOIN (
                 SELECT writer AS w, max(number) AS last, min(CASE WHEN time >= ?1 THEN number END) AS kept
                 FROM audit GROUP BY writer
             ) ON writer = w AND number = ifnull(kept - 1, last)",
        )
        .bind(cutoff.seconds())
        .fetch_all(&mut *tx)
        .await?;
        let starts = by_writer(&rows)?;
        if starts.is_empty() {
            return Ok(0);
        }
        let mut deleted = 0;
        for (writer, start) in &starts {
            deleted += sqlx::query("DELETE FROM audit WHERE writer = ?1 AND number <= ?2")
                .bind(writer)
                .bind(start.number)
                .execute(&mut *tx)
                .await?
                .rows_affected();
            sqlx::query(
                "INSERT INTO audit_checkpoints (writer, number, id, hash) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (writer) DO UPDATE SET
                     number = excluded.number, id = excluded.id, hash = excluded.hash",
            )
            .bind(writer)
            .bind(start.number)
            .bind(start.id)
            .bind(&start.hash[..])
            .execute(&mut *tx)
            .await?;
        }
        // Before the commit: a start that is noted and not used allows nothing that was not due, but one that is used
        // and not noted would look like tampering.
        self.heads.note_starts(&starts).map_err(sqlx::Error::Io)?;
        tx.commit().await?;
        if let Err(error) = self.heads.drop_before(&starts) {
            tracing::warn!(%error, "old lines could not be dropped from audit-heads");
        }
        Ok(deleted)
    }

    /// Signs the newest entry of each chain and notes how far the feed has come, at most once a minute: call it as
    /// often as is handy.
    pub async fn seal(&self, now: UnixTime) -> Result<()> {
        if !self.is_seal_due(now) {
            return Ok(());
        }
        let mut tx = self.readers.begin().await?;
        for (writer, head) in stored_heads(&mut tx).await? {
            self.heads.note(&writer, &head, now, HowOften::EachMinute);
        }
        let (epoch, seq): (String, i64) =
            sqlx::query_as("SELECT epoch, seq FROM meta").fetch_one(&mut *tx).await?;
        self.epoch_file.note(&epoch, seq);
        Ok(())
    }
}

/// Each writer's newest entry, as its table has it.
pub(crate) async fn stored_heads(tx: &mut SqliteConnection) -> Result<BTreeMap<String, Head>> {
    by_writer(&sqlx::query("SELECT writer, number, id, hash FROM audit_heads").fetch_all(tx).await?)
}

/// Each writer's last entry that was removed because it was old.
pub(crate) async fn stored_starts(tx: &mut SqliteConnection) -> Result<BTreeMap<String, Head>> {
    by_writer(&sqlx::query("SELECT writer, number, id, hash FROM audit_checkpoints").fetch_all(tx).await?)
}

fn by_writer(rows: &[SqliteRow]) -> Result<BTreeMap<String, Head>> {
    rows.iter()
        .map(|row| {
            let head =
                Head { number: row.try_get("number")?, id: row.try_get("id")?, hash: digest(row, "hash")? };
            Ok((row.try_get("writer")?, head))
        })
        .collect()
}
