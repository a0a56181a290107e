//! Issuers that are ignored: a certificate that says it is from one of them does not become pending.
//!
//! It is refused as before, and that stands in the log. An issuer's name is what the certificate says; nobody vouches for it.

use examiner::{Certificate, UnixTime};
use sqlx::{Row, SqliteConnection};

use crate::audit::AuditEvent;
use crate::error::{RegistryError, Result};
use crate::open::{Actor, Registry};
use crate::rows::{maybe_time, time};

/// An issuer that is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredIssuer {
    /// Its name, RFC 4514.
    pub issuer: String,
    /// Since when.
    pub at: UnixTime,
    /// By whom.
    pub by: String,
    /// How often one of its certificates has knocked since.
    pub count: u64,
    /// When last.
    pub last_seen: Option<UnixTime>,
}

impl Registry {
    /// Ignores an issuer from now on, and dismisses what is pending from it; how many those were. `Err(Conflict)` if it is
    /// ignored already.
    pub async fn ignore_issuer(&self, issuer: &str, actor: &Actor, now: UnixTime) -> Result<u64> {
        let mut write = self.write(now).await?;
        let done = sqlx::query(
            "INSERT INTO ignored_issuers (issuer, at, by) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )
        .bind(issuer)
        .bind(now.seconds())
        .bind(&actor.name)
        .execute(&mut *write.tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(RegistryError::conflict(format!("the issuer `{issuer}` is ignored already")));
        }
        let dismissed =
            sqlx::query("DELETE FROM pending WHERE issuer = ?1").bind(issuer).execute(&mut *write.tx).await?;
        let dismissed = dismissed.rows_affected();
        let what = format!("issuer `{issuer}` ignored, {dismissed} pending certificate(s) dismissed");
        write.audit(AuditEvent::changed(actor, now, &what)).await?;
        write.commit(self).await?;
        Ok(dismissed)
    }

    /// Lets certificates of an issuer become pending again. `Err(NotFound)` if it is not ignored.
    pub async fn heed_issuer(&self, issuer: &str, actor: &Actor, now: UnixTime) -> Result<()> {
        let mut write = self.write(now).await?;
        let done = sqlx::query("DELETE FROM ignored_issuers WHERE issuer = ?1")
            .bind(issuer)
            .execute(&mut *write.tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(RegistryError::not_found(format!("an ignored issuer `{issuer}`")));
        }
        write.audit(AuditEvent::changed(actor, now, format!("issuer `{issuer}` ignored no longer"))).await?;
        write.commit(self).await
    }

    /// The issuers that are ignored, by name.
    pub async fn ignored_issuers(&self) -> Result<Vec<IgnoredIssuer>> {
        let rows =
            sqlx::query("SELECT * FROM ignored_issuers ORDER BY issuer").fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                Ok(IgnoredIssuer {
                    issuer: row.try_get("issuer")?,
                    at: time(row, "at")?,
                    by: row.try_get("by")?,
                    count: row.try_get::<i64, _>("count")?.unsigned_abs(),
                    last_seen: maybe_time(row, "last_seen")?,
                })
            })
            .collect()
    }
}

/// Counts a knock where the certificate's issuer is ignored; whether it is.
pub(crate) async fn counts(
    tx: &mut SqliteConnection,
    certificate: &Certificate,
    at: UnixTime,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE ignored_issuers SET count = count + 1, last_seen = max(ifnull(last_seen, ?2), ?2)
         WHERE issuer = ?1",
    )
    .bind(certificate.issuer.to_string())
    .bind(at.seconds())
    .execute(tx)
    .await?;
    Ok(done.rows_affected() > 0)
}
