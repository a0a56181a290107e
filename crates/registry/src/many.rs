//! Many certificates by one change: revoked, or released from a hold.
//!
//! The feed has one row for it, however many they are. Each certificate carries that row's number, and the row is filled
//! from them when it is read.

use examiner::{Thumbprint, UnixTime};
use policy::record::Revocations;
use policy::selection::{Candidate, Selection};
use policy::{PartyName, RecordChange};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use tokio_stream::StreamExt;

use crate::audit::AuditEvent;
use crate::error::{RegistryError, Result};
use crate::feed::Write;
use crate::open::{Actor, Registry};
use crate::parties;
use crate::revocation::{HOLD, KEY_COMPROMISE};
use crate::rows::{damaged, key_pin, party, revoked, thumbprint, time};
use crate::said::Said;

/// A party's certificate that a change of many concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// The party.
    pub party: PartyName,
    /// What the party calls it.
    pub label: String,
    /// SHA-256 of its DER.
    pub thumbprint: Thumbprint,
    /// Last second of its validity.
    pub not_after: UnixTime,
    number: i64,
}

/// What is to become of certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate<'a> {
    /// They are revoked, for this reason.
    Revoked(&'a str),
    /// They are held no longer.
    Released,
}

impl Registry {
    /// The parties' certificates that are meant, and that would change: for a revocation those that are not revoked yet,
    /// or held, or revoked for less than `key-compromise` where that is the reason; for a release those that are held.
    pub async fn select(&self, selection: &Selection, fate: Fate<'_>) -> Result<Vec<Selected>> {
        let mut connection = self.readers.acquire().await?;
        select(&mut connection, selection, fate).await
    }

    /// Revokes, or releases, all certificates that are meant, by one change; returns them. None meant: nothing is
    /// changed.
    pub async fn change_selected(
        &self,
        selection: &Selection,
        fate: Fate<'_>,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<Vec<Selected>> {
        let mut write = self.write(now).await?;
        let all = select(&mut write.tx, selection, fate).await?;
        if all.is_empty() {
            return Ok(all);
        }
        write.change_many(&all, fate, now).await?;
        let what = match fate {
            Fate::Revoked(reason) => {
                format!("{} certificate(s) revoked for {reason}: {selection}", all.len())
            }
            Fate::Released => format!("{} {}: {selection}", all.len(), Said::ManyReleased),
        };
        let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
        write.audit(AuditEvent { count, ..AuditEvent::changed(actor, now, &what) }).await?;
        write.commit(self).await?;
        Ok(all)
    }

    /// Releases a party's held certificate, or all that it has held with its key pins; the certificates, and the labels
    /// of the key pins. `Err(NotFound)` without the party, `Err(Conflict)` where nothing is held.
    pub async fn release(
        &self,
        name: &PartyName,
        which: Option<&Thumbprint>,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<(Vec<Selected>, Vec<String>)> {
        let mut write = self.write(now).await?;
        parties::find(&mut write.tx, name).await?.ok_or_else(|| parties::unknown(name))?;
        let rows = sqlx::query(
            "SELECT number, thumbprint, holder, label, not_after FROM certificates
             WHERE holder_kind = 'party' AND holder = ?1 AND revoked_reason = ?2
                 AND (?3 IS NULL OR thumbprint = ?3)
             ORDER BY number",
        )
        .bind(name.as_str())
        .bind(HOLD)
        .bind(which.map(|thumbprint| thumbprint.0.to_vec()))
        .fetch_all(&mut *write.tx)
        .await?;
        let all = rows.iter().map(selected).collect::<Result<Vec<_>>>()?;
        let keys = if which.is_none() { write.release_keys(name).await? } else { Vec::new() };
        if all.is_empty() && keys.is_empty() {
            let whole = format!("nothing of party `{name}` is on hold");
            let what = which.map_or(whole, |_| "the certificate is not on hold".into());
            return Err(RegistryError::conflict(what));
        }
        if !all.is_empty() {
            write.change_many(&all, Fate::Released, now).await?;
        }
        for one in &all {
            let what = Said::CertificateReleased(&one.label);
            let event = AuditEvent::changed(actor, now, what).party(name).thumbprint(&one.thumbprint);
            write.audit(event).await?;
        }
        for label in &keys {
            let what = Said::KeyReleased(label);
            write.audit(AuditEvent::changed(actor, now, what).party(name)).await?;
        }
        write.commit(self).await?;
        Ok((all, keys))
    }
}

impl Write {
    async fn change_many(&mut self, all: &[Selected], fate: Fate<'_>, now: UnixTime) -> Result<()> {
        let seq = self.feed_numbered(&RecordChange::Revocations(Revocations::default())).await?;
        let reason = match fate {
            Fate::Revoked(reason) => Some(reason),
            Fate::Released => None,
        };
        let numbers: Vec<i64> = all.iter().map(|one| one.number).collect();
        let numbers = serde_json::to_string(&numbers).map_err(damaged)?;
        sqlx::query(
            "UPDATE certificates SET changed_by = ?2, revoked_reason = ?3,
                 revoked_at = CASE WHEN ?3 IS NULL THEN NULL ELSE ifnull(revoked_at, ?4) END
             WHERE number IN (SELECT value FROM json_each(?1))",
        )
        .bind(&numbers)
        .bind(seq)
        .bind(reason)
        .bind(now.seconds())
        .execute(&mut *self.tx)
        .await?;
        if reason == Some(KEY_COMPROMISE) {
            sqlx::query(
                "INSERT INTO compromised_keys (key_pin, at)
                 SELECT DISTINCT key_pin, ?2 FROM certificates WHERE number IN (SELECT value FROM json_each(?1))
                 ON CONFLICT DO NOTHING",
            )
            .bind(&numbers)
            .bind(now.seconds())
            .execute(&mut *self.tx)
            .await?;
        }
        Ok(())
    }

    async fn release_keys(&mut self, name: &PartyName) -> Result<Vec<String>> {
        let rows = sqlx::query(
            "UPDATE keys SET revoked_at = NULL, revoked_reason = NULL WHERE party = ?1 AND revoked_reason = ?2
             RETURNING key_pin, label",
        )
        .bind(name.as_str())
        .bind(HOLD)
        .fetch_all(&mut *self.tx)
        .await?;
        let mut labels = Vec::new();
        for row in &rows {
            self.feed_key(&key_pin(row)?).await?;
            labels.push(row.try_get("label")?);
        }
        Ok(labels)
    }
}

/// What became of the certificates by the change with this number, as they now are.
pub(crate) async fn revocations(tx: &mut SqliteConnection, seq: i64) -> Result<Revocations> {
    let mut all = Revocations::default();
    let mut rows =
        sqlx::query("SELECT thumbprint, revoked_at, revoked_reason FROM certificates WHERE changed_by = ?1")
            .bind(seq)
            .fetch(&mut *tx);
    while let Some(row) = rows.next().await.transpose()? {
        all.certificates.push((thumbprint(&row)?, revoked(&row)?));
    }
    drop(rows);
    let keys = sqlx::query(
        "SELECT DISTINCT key_pin FROM certificates WHERE changed_by = ?1 AND revoked_reason = ?2",
    )
    .bind(seq)
    .bind(KEY_COMPROMISE)
    .fetch_all(&mut *tx)
    .await?;
    all.compromised_keys = keys.iter().map(key_pin).collect::<Result<_>>()?;
    Ok(all)
}

async fn select(tx: &mut SqliteConnection, selection: &Selection, fate: Fate<'_>) -> Result<Vec<Selected>> {
    let (reason, release) = match fate {
        Fate::Revoked(reason) => (reason, false),
        Fate::Released => (HOLD, true),
    };
    let mut rows = sqlx::query(
        "SELECT number, thumbprint, holder, label, profile, not_before, not_after, der FROM certificates
         WHERE holder_kind = 'party' AND CASE WHEN ?2 THEN ifnull(revoked_reason, '') = ?1
             ELSE revoked_at IS NULL OR (?1 = 'key-compromise' AND revoked_reason <> ?1)
                 OR (revoked_reason = 'certificate-hold' AND ?1 <> revoked_reason) END
         ORDER BY number",
    )
    .bind(reason)
    .bind(release)
    .fetch(tx);
    let mut all = Vec::new();
    while let Some(row) = rows.next().await.transpose()? {
        let candidate = Candidate {
            party: row.try_get("holder")?,
            label: row.try_get("label")?,
            profile: row.try_get("profile")?,
            not_before: time(&row, "not_before")?,
            der: row.try_get("der")?,
        };
        if selection.fits(&candidate) {
            all.push(selected(&row)?);
        }
    }
    Ok(all)
}

fn selected(row: &SqliteRow) -> Result<Selected> {
    Ok(Selected {
        party: party(row, "holder")?,
        label: row.try_get("label")?,
        thumbprint: thumbprint(row)?,
        not_after: time(row, "not_after")?,
        number: row.try_get("number")?,
    })
}
