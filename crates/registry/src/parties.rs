//! Parties: made, granted sites, suspended, removed.

use std::collections::BTreeMap;

use examiner::UnixTime;
use policy::record::Party;
use policy::{HostName, PartyName, RecordChange};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::audit::AuditEvent;
use crate::error::{RegistryError, Result};
use crate::feed::Write;
use crate::open::{Actor, Registry};
use crate::rows::{damaged, host, key_pin, maybe_time, party, thumbprint, time};
use crate::said::Said;

/// A party on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyRow {
    /// Its name.
    pub name: PartyName,
    /// Its identifier, a UUID.
    pub id: String,
    /// When it was made.
    pub created_at: UnixTime,
    /// Since when it is suspended.
    pub suspended_since: Option<UnixTime>,
    /// The sites it has been granted, in order.
    pub grants: Vec<HostName>,
}

impl Registry {
    /// The party by this name, made if there is none.
    pub async fn ensure_party(&self, name: &PartyName, actor: &Actor, now: UnixTime) -> Result<PartyRow> {
        let mut write = self.write(now).await?;
        let row = write.party(name, actor, now).await?;
        write.commit(self).await?;
        Ok(row)
    }

    /// The party by this name.
    pub async fn party(&self, name: &PartyName) -> Result<Option<PartyRow>> {
        let mut tx = self.readers.begin().await?;
        find(&mut tx, name).await
    }

    /// All parties by name.
    pub async fn parties(&self) -> Result<Vec<PartyRow>> {
        let mut tx = self.readers.begin().await?;
        let rows = sqlx::query("SELECT * FROM parties ORDER BY name").fetch_all(&mut *tx).await?;
        let mut grants = sqlx::query("SELECT party, site FROM grants ORDER BY party, site")
            .fetch_all(&mut *tx)
            .await?
            .iter()
            .map(|row| Ok((party(row, "party")?, host(row, "site")?)))
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .peekable();
        let mut parties = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut row = without_grants(row)?;
            while let Some((_, site)) = grants.next_if(|(party, _)| *party <= row.name) {
                row.grants.push(site);
            }
            parties.push(row);
        }
        Ok(parties)
    }

    /// When the last certificate of each party ends that is not revoked, where that is from `from` to `until`, both
    /// included; of suspended parties nothing.
    pub async fn last_ends(&self, from: UnixTime, until: UnixTime) -> Result<BTreeMap<PartyName, UnixTime>> {
        let rows = sqlx::query(
            "SELECT holder, max(not_after) AS ends FROM certificates
             WHERE holder_kind = 'party' AND revoked_at IS NULL
               AND holder NOT IN (SELECT name FROM parties WHERE suspended_since IS NOT NULL)
             GROUP BY holder HAVING ends BETWEEN ?1 AND ?2",
        )
        .bind(from.seconds())
        .bind(until.seconds())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((party(row, "holder")?, time(row, "ends")?))).collect()
    }

    /// Removes a party with its pins, keys and subjects. Its own certificates stay on record as revoked for
    /// `cessation-of-operation`; what was revoked before stays revoked.
    pub async fn remove_party(&self, name: &PartyName, actor: &Actor, now: UnixTime) -> Result<()> {
        let mut write = self.write(now).await?;
        find(&mut write.tx, name).await?.ok_or_else(|| unknown(name))?;
        let own = sqlx::query(
            "UPDATE certificates SET revoked_at = ?2, revoked_reason = 'cessation-of-operation'
             WHERE holder_kind = 'party' AND holder = ?1 AND origin = 'own' AND revoked_at IS NULL
             RETURNING thumbprint",
        )
        .bind(name.as_str())
        .bind(now.seconds())
        .fetch_all(&mut *write.tx)
        .await?;
        for row in &own {
            write.feed_certificate(&thumbprint(row)?).await?;
        }
        let pins = sqlx::query(
            "DELETE FROM certificates
             WHERE holder_kind = 'party' AND holder = ?1 AND origin = 'pinned' AND revoked_at IS NULL
             RETURNING thumbprint",
        )
        .bind(name.as_str())
        .fetch_all(&mut *write.tx)
        .await?;
        for row in &pins {
            write.feed(&RecordChange::CertificateRemoved(thumbprint(row)?)).await?;
        }
        let keys = sqlx::query("DELETE FROM keys WHERE party = ?1 AND revoked_at IS NULL RETURNING key_pin")
            .bind(name.as_str())
            .fetch_all(&mut *write.tx)
            .await?;
        for row in &keys {
            write.feed_key(&key_pin(row)?).await?;
        }
        write.remove_subject_rules(name, actor, now).await?;
        sqlx::query("DELETE FROM parties WHERE name = ?1")
            .bind(name.as_str())
            .execute(&mut *write.tx)
            .await?;
        write.feed(&RecordChange::PartyRemoved(name.clone())).await?;
        write.audit(AuditEvent::changed(actor, now, Said::PartyRemoved).party(name)).await?;
        write.commit(self).await
    }

    /// Suspends a party from `now` on. `Err(Conflict)` if it is.
    pub async fn suspend(&self, name: &PartyName, actor: &Actor, now: UnixTime) -> Result<()> {
        self.set_suspended(name, Some(now), actor, now).await
    }

    /// Ends a suspension. `Err(Conflict)` if there is none.
    pub async fn resume(&self, name: &PartyName, actor: &Actor, now: UnixTime) -> Result<()> {
        self.set_suspended(name, None, actor, now).await
    }

    /// Grants a site to a party. Granting twice changes nothing.
    pub async fn grant(&self, name: &PartyName, site: &HostName, actor: &Actor, now: UnixTime) -> Result<()> {
        let mut write = self.write(now).await?;
        find(&mut write.tx, name).await?.ok_or_else(|| unknown(name))?;
        let done = sqlx::query("INSERT INTO grants (party, site) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
            .bind(name.as_str())
            .bind(site.as_str())
            .execute(&mut *write.tx)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(());
        }
        write.feed_party(name).await?;
        write.audit(AuditEvent::changed(actor, now, Said::Granted).party(name).site(site)).await?;
        write.commit(self).await
    }

    /// Takes a grant back. `Err(NotFound)` if there is none.
    pub async fn ungrant(
        &self,
        name: &PartyName,
        site: &HostName,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<()> {
        let mut write = self.write(now).await?;
        let done = sqlx::query("DELETE FROM grants WHERE party = ?1 AND site = ?2")
            .bind(name.as_str())
            .bind(site.as_str())
            .execute(&mut *write.tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(RegistryError::not_found(format!("a grant of `{site}` to party `{name}`")));
        }
        write.feed_party(name).await?;
        write.audit(AuditEvent::changed(actor, now, Said::Ungranted).party(name).site(site)).await?;
        write.commit(self).await
    }

    async fn set_suspended(
        &self,
        name: &PartyName,
        since: Option<UnixTime>,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<()> {
        let mut write = self.write(now).await?;
        let row = find(&mut write.tx, name).await?.ok_or_else(|| unknown(name))?;
        let what = match (row.suspended_since, since) {
            (None, Some(_)) => Said::Suspended,
            (Some(_), None) => Said::Resumed,
            (Some(since), Some(_)) => {
                return Err(RegistryError::conflict(format!("party `{name}` is suspended since {since}")));
            }
            (None, None) => {
                return Err(RegistryError::conflict(format!("party `{name}` is not suspended")));
            }
        };
        sqlx::query("UPDATE parties SET suspended_since = ?2 WHERE name = ?1")
            .bind(name.as_str())
            .bind(since.map(UnixTime::seconds))
            .execute(&mut *write.tx)
            .await?;
        write.feed_party(name).await?;
        write.audit(AuditEvent::changed(actor, now, what).party(name)).await?;
        write.commit(self).await
    }
}

impl Write {
    /// The party by this name; put on record with what is written beside it where it is new.
    pub(crate) async fn party(&mut self, name: &PartyName, actor: &Actor, now: UnixTime) -> Result<PartyRow> {
        match find(&mut self.tx, name).await? {
            Some(row) => Ok(row),
            None => self.add_party(name, &uuid::Uuid::new_v4().to_string(), actor, now).await,
        }
    }

    /// Puts a new party on record, by this identifier.
    pub(crate) async fn add_party(
        &mut self,
        name: &PartyName,
        id: &str,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<PartyRow> {
        sqlx::query("INSERT INTO parties (name, id, created_at) VALUES (?1, ?2, ?3)")
            .bind(name.as_str())
            .bind(id)
            .bind(now.seconds())
            .execute(&mut *self.tx)
            .await?;
        let row = self.feed_party(name).await?;
        self.audit(AuditEvent::changed(actor, now, Said::PartyAdded).party(name)).await?;
        Ok(row)
    }

    async fn feed_party(&mut self, name: &PartyName) -> Result<PartyRow> {
        let row = find(&mut self.tx, name).await?.ok_or_else(|| damaged(format!("`{name}` vanished")))?;
        let party = Party {
            name: row.name.clone(),
            id: row.id.clone(),
            suspended_since: row.suspended_since,
            grants: row.grants.iter().cloned().collect(),
        };
        self.feed(&RecordChange::Party(party)).await?;
        Ok(row)
    }
}

pub(crate) async fn find(tx: &mut SqliteConnection, name: &PartyName) -> Result<Option<PartyRow>> {
    let row =
        sqlx::query("SELECT * FROM parties WHERE name = ?1").bind(name.as_str()).fetch_optional(&mut *tx);
    let Some(row) = row.await? else { return Ok(None) };
    let mut found = without_grants(&row)?;
    let grants = sqlx::query("SELECT site FROM grants WHERE party = ?1 ORDER BY site")
        .bind(name.as_str())
        .fetch_all(&mut *tx)
        .await?;
    found.grants = grants.iter().map(|row| host(row, "site")).collect::<Result<_>>()?;
    Ok(Some(found))
}

pub(crate) fn unknown(name: &PartyName) -> RegistryError {
    RegistryError::not_found(format!("party `{name}`"))
}

fn without_grants(row: &SqliteRow) -> Result<PartyRow> {
    Ok(PartyRow {
        name: party(row, "name")?,
        id: row.try_get("id")?,
        created_at: time(row, "created_at")?,
        suspended_since: maybe_time(row, "suspended_since")?,
        grants: Vec::new(),
    })
}
