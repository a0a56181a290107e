//! Sites and CAs kept in the registry, and CAs granted to sites as a whole.

use std::collections::BTreeSet;

use examiner::UnixTime;
use policy::record::SubjectRule;
use policy::{HostName, RecordChange};
use sqlx::{Row, SqliteConnection};

use crate::audit::AuditEvent;
use crate::error::{RegistryError, Result};
use crate::feed::Write;
use crate::open::{Actor, Registry};
use crate::rows::{damaged, digest, host};
use crate::said::Said;

/// A site kept in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSite {
    /// Its name.
    pub name: HostName,
    /// The TOML text of its table.
    pub settings: String,
}

/// A CA kept in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCa {
    /// Its name.
    pub name: String,
    /// Its certificates, PEM.
    pub pem: String,
    /// The sites it is attached to.
    pub sites: Vec<HostName>,
    /// The TOML text of its table.
    pub settings: String,
}

impl Registry {
    /// Keeps a site, in place of one of the same name.
    pub async fn put_site(&self, site: StoredSite, actor: &Actor, now: UnixTime) -> Result<()> {
        let mut write = self.write(now).await?;
        sqlx::query(
            "INSERT INTO sites (name, settings) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET settings = excluded.settings",
        )
        .bind(site.name.as_str())
        .bind(&site.settings)
        .execute(&mut *write.tx)
        .await?;
        write.feed(&RecordChange::Settings).await?;
        write.audit(AuditEvent::changed(actor, now, "site set").site(&site.name)).await?;
        write.commit(self).await
    }

    /// Removes a site. `Err(NotFound)` if it is not kept here.
    pub async fn remove_site(&self, name: &HostName, actor: &Actor, now: UnixTime) -> Result<()> {
        let mut write = self.write(now).await?;
        let done = sqlx::query("DELETE FROM sites WHERE name = ?1")
            .bind(name.as_str())
            .execute(&mut *write.tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(RegistryError::not_found(format!("site `{name}`")));
        }
        write.feed(&RecordChange::Settings).await?;
        write.audit(AuditEvent::changed(actor, now, "site removed").site(name)).await?;
        write.commit(self).await
    }

    /// The sites kept here, by name.
    pub async fn sites(&self) -> Result<Vec<StoredSite>> {
        stored_sites(&mut *self.readers.acquire().await?).await
    }

    /// Keeps a CA, in place of one of the same name.
    pub async fn put_ca(&self, ca: StoredCa, actor: &Actor, now: UnixTime) -> Result<()> {
        let mut write = self.write(now).await?;
        sqlx::query(
            "INSERT INTO cas (name, pem, sites, settings) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name) DO UPDATE SET
                 pem = excluded.pem, sites = excluded.sites, settings = excluded.settings",
        )
        .bind(&ca.name)
        .bind(&ca.pem)
        .bind(serde_json::to_string(&ca.sites).map_err(damaged)?)
        .bind(&ca.settings)
        .execute(&mut *write.tx)
        .await?;
        write.feed(&RecordChange::Settings).await?;
        write.audit(AuditEvent::changed(actor, now, format!("CA `{}` set", ca.name))).await?;
        write.commit(self).await
    }

    /// Writes down that an operator took revocation lists, described by `lists`, although newer ones were in force.
    pub async fn note_accepted_lists(&self, lists: &str, actor: &Actor, now: UnixTime) -> Result<()> {
        let mut write = self.write(now).await?;
        let what = format!("{lists}: accepted although newer ones were in force");
        write.audit(AuditEvent::changed(actor, now, &what)).await?;
        write.commit(self).await
    }

    /// Writes down what became of the own authority, in a sentence, and has whoever builds a snapshot read its
    /// certificates anew.
    pub async fn note_authority(&self, what: &str, actor: &Actor, now: UnixTime) -> Result<()> {
        let mut write = self.write(now).await?;
        write.feed(&RecordChange::Settings).await?;
        write.audit(AuditEvent::changed(actor, now, what)).await?;
        write.commit(self).await
    }

    /// Removes a CA with its grants and the subject rules on it: a later CA of the same name must not inherit them.
    pub async fn remove_ca(&self, name: &str, actor: &Actor, now: UnixTime) -> Result<()> {
        let mut write = self.write(now).await?;
        let done = sqlx::query("DELETE FROM cas WHERE name = ?1").bind(name).execute(&mut *write.tx).await?;
        if done.rows_affected() == 0 {
            return Err(RegistryError::not_found(format!("CA `{name}`")));
        }
        let sites = sqlx::query("DELETE FROM ca_grants WHERE ca = ?1 RETURNING site")
            .bind(name)
            .fetch_all(&mut *write.tx)
            .await?;
        for row in &sites {
            write.feed_ca_grants(&host(row, "site")?).await?;
        }
        let subjects = sqlx::query("DELETE FROM subjects WHERE ca = ?1 RETURNING subject")
            .bind(name)
            .fetch_all(&mut *write.tx)
            .await?;
        for row in &subjects {
            let rule = SubjectRule { ca: name.to_owned(), subject: digest(row, "subject")? };
            write.feed(&RecordChange::Subject(rule, None)).await?;
        }
        write.feed(&RecordChange::Settings).await?;
        write.audit(AuditEvent::changed(actor, now, Said::CaRemoved(name))).await?;
        write.commit(self).await
    }

    /// The CAs kept here, by name.
    pub async fn cas(&self) -> Result<Vec<StoredCa>> {
        stored_cas(&mut *self.readers.acquire().await?).await
    }

    /// Grants a site to everyone from a CA. Granting twice changes nothing.
    pub async fn grant_ca(&self, ca: &str, site: &HostName, actor: &Actor, now: UnixTime) -> Result<()> {
        let mut write = self.write(now).await?;
        let done = sqlx::query("INSERT INTO ca_grants (site, ca) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
            .bind(site.as_str())
            .bind(ca)
            .execute(&mut *write.tx)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(());
        }
        write.feed_ca_grants(site).await?;
        let what = Said::GrantedToCa(ca);
        write.audit(AuditEvent::changed(actor, now, what).site(site)).await?;
        write.commit(self).await
    }

    /// Takes a CA's grant back. `Err(NotFound)` if there is none.
    pub async fn ungrant_ca(&self, ca: &str, site: &HostName, actor: &Actor, now: UnixTime) -> Result<()> {
        let mut write = self.write(now).await?;
        let done = sqlx::query("DELETE FROM ca_grants WHERE site = ?1 AND ca = ?2")
            .bind(site.as_str())
            .bind(ca)
            .execute(&mut *write.tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(RegistryError::not_found(format!("a grant of `{site}` to CA `{ca}`")));
        }
        write.feed_ca_grants(site).await?;
        let what = Said::UngrantedFromCa(ca);
        write.audit(AuditEvent::changed(actor, now, what).site(site)).await?;
        write.commit(self).await
    }
}

impl Write {
    async fn feed_ca_grants(&mut self, site: &HostName) -> Result<()> {
        let cas: Vec<String> = sqlx::query_scalar("SELECT ca FROM ca_grants WHERE site = ?1")
            .bind(site.as_str())
            .fetch_all(&mut *self.tx)
            .await?;
        self.feed(&RecordChange::CaGrants(site.clone(), BTreeSet::from_iter(cas))).await
    }
}

pub(crate) async fn stored_sites(tx: &mut SqliteConnection) -> Result<Vec<StoredSite>> {
    let rows = sqlx::query("SELECT name, settings FROM sites ORDER BY name").fetch_all(tx).await?;
    rows.iter()
        .map(|row| Ok(StoredSite { name: host(row, "name")?, settings: row.try_get("settings")? }))
        .collect()
}

pub(crate) async fn stored_cas(tx: &mut SqliteConnection) -> Result<Vec<StoredCa>> {
    let rows = sqlx::query("SELECT name, pem, sites, settings FROM cas ORDER BY name").fetch_all(tx).await?;
    rows.iter()
        .map(|row| {
            Ok(StoredCa {
                name: row.try_get("name")?,
                pem: row.try_get("pem")?,
                sites: serde_json::from_str(row.try_get("sites")?).map_err(damaged)?,
                settings: row.try_get("settings")?,
            })
        })
        .collect()
}
