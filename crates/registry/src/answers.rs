//! Changes that were asked for under a key: whoever asks again within a day is answered the same, also by another process.
//!
//! A key is taken before the change is made, and has its answer afterwards. One without an answer is of a change whose
//! process ended in between: nobody knows whether it was made.

use examiner::UnixTime;
use policy::PartyName;
use sqlx::Row;

use crate::error::Result;
use crate::open::Registry;
use crate::rows::digest;

/// How long an answer is kept, in seconds: 24 hours.
const KEPT_SECONDS: i64 = 86_400;
/// So many are kept; the oldest go first.
const MOST: i64 = 20_000;

/// An answer that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Its HTTP status.
    pub status: u16,
    /// Its body; `None` where it held what is shown once.
    pub body: Option<String>,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Earlier {
    /// Nothing: it is taken now.
    New,
    /// It was answered.
    Answered(KeptAnswer),
    /// It was taken, and not answered.
    Unanswered,
    /// It belongs to another request.
    Other,
}

impl Registry {
    /// Looks an operator's key up, and takes it where it is new. `asked` tells one request from another.
    pub async fn take_key(
        &self,
        operator: &PartyName,
        key: &str,
        asked: &[u8; 32],
        now: UnixTime,
    ) -> Result<Earlier> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM answers WHERE at < ?1")
            .bind(now.seconds() - KEPT_SECONDS)
            .execute(&mut *tx)
            .await?;
        let known = sqlx::query("SELECT asked, status, body FROM answers WHERE operator = ?1 AND key = ?2")
            .bind(operator.as_str())
            .bind(key)
            .fetch_optional(&mut *tx)
            .await?;
        if let Some(row) = known {
            if digest(&row, "asked")? != *asked {
                return Ok(Earlier::Other);
            }
            let Some(status) = row.try_get::<Option<u16>, _>("status")? else {
                return Ok(Earlier::Unanswered);
            };
            return Ok(Earlier::Answered(KeptAnswer { status, body: row.try_get("body")? }));
        }
        sqlx::query("INSERT INTO answers (operator, key, asked, at) VALUES (?1, ?2, ?3, ?4)")
            .bind(operator.as_str())
            .bind(key)
            .bind(&asked[..])
            .bind(now.seconds())
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "DELETE FROM answers WHERE rowid IN (SELECT rowid FROM answers ORDER BY at DESC, rowid DESC LIMIT -1 OFFSET ?1)",
        )
        .bind(MOST)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Earlier::New)
    }

    /// Keeps the answer to what was asked under a key that was taken.
    pub async fn keep_answer(&self, operator: &PartyName, key: &str, answer: &KeptAnswer) -> Result<()> {
        sqlx::query("UPDATE answers SET status = ?3, body = ?4 WHERE operator = ?1 AND key = ?2")
            .bind(operator.as_str())
            .bind(key)
            .bind(answer.status)
            .bind(&answer.body)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Lets a key go: nothing was changed, and it may be tried again.
    pub async fn release_key(&self, operator: &PartyName, key: &str) -> Result<()> {
        sqlx::query("DELETE FROM answers WHERE operator = ?1 AND key = ?2")
            .bind(operator.as_str())
            .bind(key)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}
