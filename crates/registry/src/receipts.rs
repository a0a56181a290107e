//! What each gate has applied.

use examiner::UnixTime;
use sqlx::Row;

use crate::error::Result;
use crate::open::Registry;
use crate::rows::time;

/// How long a gate that reports no more is remembered, in seconds: a day.
const KEPT_SECONDS: i64 = 86_400;

/// A gate's last report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The gate's name.
    pub gate: String,
    /// The epoch it reads.
    pub epoch: String,
    /// The last change it applied.
    pub seq: i64,
    /// Connections it cut for changes, in all.
    pub cut: i64,
    /// When it said so.
    pub at: UnixTime,
}

impl Registry {
    /// Keeps a gate's report in place of its last, and drops those of gates that were silent for a day.
    pub async fn report(&self, gate: &str, epoch: &str, seq: i64, cut: i64, now: UnixTime) -> Result<()> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM receipts WHERE at < ?1")
            .bind(now.plus(-KEPT_SECONDS).seconds())
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "INSERT INTO receipts (gate, epoch, seq, cut, at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (gate) DO UPDATE SET
                 epoch = excluded.epoch, seq = excluded.seq, cut = excluded.cut, at = excluded.at",
        )
        .bind(gate)
        .bind(epoch)
        .bind(seq)
        .bind(cut)
        .bind(now.seconds())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Every gate's last report, by name.
    pub async fn receipts(&self) -> Result<Vec<Receipt>> {
        let rows = sqlx::query("SELECT * FROM receipts ORDER BY gate").fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                Ok(Receipt {
                    gate: row.try_get("gate")?,
                    epoch: row.try_get("epoch")?,
                    seq: row.try_get("seq")?,
                    cut: row.try_get("cut")?,
                    at: time(row, "at")?,
                })
            })
            .collect()
    }
}
