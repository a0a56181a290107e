//! Bindings, and the accounts that are made with them.

use examiner::UnixTime;
use policy::PartyName;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{list, unlisted};
use crate::audit::AuditEvent;
use crate::error::{RegistryError, Result};
use crate::feed::Write;
use crate::invites::{LIFE_MOST_SECONDS, random};
use crate::open::{Actor, Registry};
use crate::parties;
use crate::rows::{hex, maybe_time, party, time};

/// How long a binding stays on record after its end, in seconds: 30 days.
const BINDING_KEPT_SECONDS: i64 = 30 * 86_400;

/// A binding to be made.
#[derive(Clone, Debug)]
pub struct NewBinding {
    /// Whose account it makes; a party on record that is not suspended.
    pub party: PartyName,
    /// The issuance profile's name.
    pub profile: String,
    /// DNS names that may be ordered beside the party's own, in lower case.
    pub names: Vec<String>,
    /// Its last second; at most seven days from now.
    pub expires_at: UnixTime,
}

/// A binding on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingRow {
    /// Its key identifier (`kid`).
    pub id: String,
    /// Whose account it makes.
    pub party: PartyName,
    /// The issuance profile's name.
    pub profile: String,
    /// DNS names that may be ordered beside the party's own.
    pub names: Vec<String>,
    /// When it was made.
    pub created_at: UnixTime,
    /// Its last second.
    pub expires_at: UnixTime,
}

/// An account on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// Its name, at the end of its address.
    pub id: String,
    /// Whose it is.
    pub party: PartyName,
    /// The issuance profile's name.
    pub profile: String,
    /// DNS names that may be ordered beside the party's own.
    pub names: Vec<String>,
    /// Its public key, in the form that RFC 7638 hashes.
    pub jwk: String,
    /// Where its owner is reached, as told.
    pub contact: Vec<String>,
    /// When it was made.
    pub created_at: UnixTime,
    /// Since when it gets nothing more.
    pub ended_at: Option<UnixTime>,
    /// Whether it ended itself; otherwise an operator ended it.
    pub ended_itself: bool,
    /// Since when its party is suspended.
    pub suspended_since: Option<UnixTime>,
}

impl Registry {
    /// Makes a binding.
    ///
    /// `Err(NotFound)` without the party, `Err(Conflict)` if it is suspended or a name is that of another party,
    /// `Err(Invalid)` if the binding would end before it begins or later than seven days from now.
    pub async fn add_binding(&self, new: NewBinding, actor: &Actor, now: UnixTime) -> Result<BindingRow> {
        if !(1..=LIFE_MOST_SECONDS).contains(&new.expires_at.seconds().saturating_sub(now.seconds())) {
            return Err(RegistryError::Invalid { what: "an account binding lasts at most 7 days".into() });
        }
        let mut write = self.write(now).await?;
        let party =
            parties::find(&mut write.tx, &new.party).await?.ok_or_else(|| parties::unknown(&new.party))?;
        if let Some(since) = party.suspended_since {
            let what = format!("party `{}` is suspended since {since}", new.party);
            return Err(RegistryError::conflict(what));
        }
        for name in new.names.iter().filter(|name| *name != new.party.as_str()) {
            let Ok(other) = PartyName::parse(name) else { continue };
            if parties::find(&mut write.tx, &other).await?.is_some() {
                return Err(RegistryError::conflict(format!("`{name}` is the name of another party")));
            }
        }
        sqlx::query("DELETE FROM acme_bindings WHERE expires_at < ?1")
            .bind(now.plus(-BINDING_KEPT_SECONDS).seconds())
            .execute(&mut *write.tx)
            .await?;
        let row = BindingRow {
            id: hex(&random::<8>()?),
            party: new.party,
            profile: new.profile,
            names: new.names,
            created_at: now,
            expires_at: new.expires_at,
        };
        sqlx::query(
            "INSERT INTO acme_bindings (id, party, profile, names, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .bind(&row.id)
        .bind(row.party.as_str())
        .bind(&row.profile)
        .bind(list(&row.names)?)
        .bind(row.created_at.seconds())
        .bind(row.expires_at.seconds())
        .execute(&mut *write.tx)
        .await?;
        let what = format!("account binding {} made, `{}`, until {}", row.id, row.profile, row.expires_at);
        write.audit(AuditEvent::changed(actor, now, &what).party(&row.party)).await?;
        write.commit(self).await?;
        Ok(row)
    }

    /// The bindings that can still make an account, of one party or of all, oldest first.
    pub async fn open_bindings(&self, party: Option<&PartyName>, now: UnixTime) -> Result<Vec<BindingRow>> {
        let rows = sqlx::query(
            "SELECT * FROM acme_bindings
             WHERE (?1 IS NULL OR party = ?1) AND used_at IS NULL AND expires_at >= ?2 ORDER BY created_at, id",
        )
        .bind(party.map(PartyName::as_str))
        .bind(now.seconds())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(binding_row).collect()
    }

    /// The accounts that still get certificates, of one party or of all, oldest first.
    pub async fn open_accounts(&self, party: Option<&PartyName>) -> Result<Vec<AccountRow>> {
        let rows = sqlx::query(
            "SELECT acme_accounts.*, parties.suspended_since FROM acme_accounts JOIN parties ON name = party
             WHERE (?1 IS NULL OR party = ?1) AND ended_at IS NULL ORDER BY acme_accounts.created_at, acme_accounts.id",
        )
        .bind(party.map(PartyName::as_str))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(account_row).collect()
    }

    /// Withdraws a binding that was not used, and tells whose it was. `Err(NotFound)` if there is none.
    pub async fn withdraw_binding(&self, id: &str, actor: &Actor, now: UnixTime) -> Result<PartyName> {
        let mut write = self.write(now).await?;
        let row = sqlx::query("DELETE FROM acme_bindings WHERE id = ?1 AND used_at IS NULL RETURNING party")
            .bind(id)
            .fetch_optional(&mut *write.tx)
            .await?
            .ok_or_else(|| RegistryError::not_found(format!("an open binding `{}`", id.escape_debug())))?;
        let name = party(&row, "party")?;
        let what = format!("account binding {id} withdrawn");
        write.audit(AuditEvent::changed(actor, now, &what).party(&name)).await?;
        write.commit(self).await?;
        Ok(name)
    }

    /// The account of this key: the one that has it, or a new one, for which the binding is used up in the same
    /// transaction. `true` where it is new.
    ///
    /// `key` is the key's thumbprint (RFC 7638). `Err(BindingNotOpen)` where the binding is unknown, used, ended or
    /// withdrawn, or its party suspended.
    pub async fn make_account(
        &self,
        binding: &str,
        (key, jwk): ([u8; 32], &str),
        contact: &[String],
        actor: &Actor,
        now: UnixTime,
    ) -> Result<(AccountRow, bool)> {
        let mut write = self.write(now).await?;
        if let Some(known) = account_by_key(&mut write.tx, key).await? {
            return Ok((known, false));
        }
        let row = sqlx::query(
            "UPDATE acme_bindings SET used_at = ?2
             WHERE id = ?1 AND used_at IS NULL AND expires_at >= ?2
                 AND (SELECT suspended_since FROM parties WHERE name = party) IS NULL
             RETURNING *",
        )
        .bind(binding)
        .bind(now.seconds())
        .fetch_optional(&mut *write.tx)
        .await?
        .ok_or(RegistryError::BindingNotOpen)?;
        let bound = binding_row(&row)?;
        let account = AccountRow {
            id: hex(&random::<8>()?),
            party: bound.party,
            profile: bound.profile,
            names: bound.names,
            jwk: jwk.to_owned(),
            contact: contact.to_vec(),
            created_at: now,
            ended_at: None,
            ended_itself: false,
            suspended_since: None,
        };
        sqlx::query(
            "INSERT INTO acme_accounts (id, party, profile, names, key_thumbprint, jwk, contact, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .bind(&account.id)
        .bind(account.party.as_str())
        .bind(&account.profile)
        .bind(list(&account.names)?)
        .bind(&key[..])
        .bind(jwk)
        .bind(list(contact)?)
        .bind(now.seconds())
        .execute(&mut *write.tx)
        .await?;
        let what = format!("ACME account {} made with binding {binding}, `{}`", account.id, account.profile);
        write.audit(AuditEvent::changed(actor, now, &what).party(&account.party)).await?;
        write.commit(self).await?;
        Ok((account, true))
    }

    /// The account of this name.
    pub async fn account(&self, id: &str) -> Result<Option<AccountRow>> {
        let row = sqlx::query(
            "SELECT acme_accounts.*, parties.suspended_since FROM acme_accounts JOIN parties ON name = party
             WHERE acme_accounts.id = ?1",
        )
        .bind(id)
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(account_row).transpose()
    }

    /// The account of this key, by its thumbprint (RFC 7638).
    pub async fn account_of_key(&self, key: [u8; 32]) -> Result<Option<AccountRow>> {
        account_by_key(self.readers.acquire().await?.as_mut(), key).await
    }

    /// Notes where an account's owner is reached.
    pub async fn set_contact(&self, account: &AccountRow, contact: &[String], now: UnixTime) -> Result<()> {
        let mut write = self.write(now).await?;
        sqlx::query("UPDATE acme_accounts SET contact = ?2 WHERE id = ?1")
            .bind(&account.id)
            .bind(list(contact)?)
            .execute(&mut *write.tx)
            .await?;
        write.commit(self).await
    }

    /// Gives an account another key. `Err(Conflict)` where an account has that key.
    pub async fn change_account_key(
        &self,
        account: &AccountRow,
        (key, jwk): ([u8; 32], &str),
        actor: &Actor,
        now: UnixTime,
    ) -> Result<()> {
        let mut write = self.write(now).await?;
        if account_by_key(&mut write.tx, key).await?.is_some() {
            return Err(RegistryError::conflict("an account has this key"));
        }
        sqlx::query(
            "UPDATE acme_accounts SET key_thumbprint = ?2, jwk = ?3 WHERE id = ?1 AND ended_at IS NULL",
        )
        .bind(&account.id)
        .bind(&key[..])
        .bind(jwk)
        .execute(&mut *write.tx)
        .await?;
        let what = format!("ACME account {} has another key", account.id);
        write.audit(AuditEvent::changed(actor, now, &what).party(&account.party)).await?;
        write.commit(self).await
    }

    /// Ends an account for good, and tells whose it is. `Err(NotFound)` if there is none that is open.
    pub async fn end_account(
        &self,
        id: &str,
        by_itself: bool,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<PartyName> {
        let mut write = self.write(now).await?;
        let row = sqlx::query(
            "UPDATE acme_accounts SET ended_at = ?2, ended_by = ?3 WHERE id = ?1 AND ended_at IS NULL RETURNING party",
        )
        .bind(id)
        .bind(now.seconds())
        .bind(if by_itself { "itself" } else { "operator" })
        .fetch_optional(&mut *write.tx)
        .await?
        .ok_or_else(|| RegistryError::not_found(format!("an open account `{}`", id.escape_debug())))?;
        let name = party(&row, "party")?;
        let what = format!("ACME account {id} ended");
        write.audit(AuditEvent::changed(actor, now, &what).party(&name)).await?;
        write.commit(self).await?;
        Ok(name)
    }
}

impl Write {
    /// Ends all accounts of a party and takes back its bindings: it is to get nothing more.
    pub(crate) async fn end_accounts(
        &mut self,
        party: &PartyName,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<()> {
        sqlx::query("DELETE FROM acme_bindings WHERE party = ?1 AND used_at IS NULL")
            .bind(party.as_str())
            .execute(&mut *self.tx)
            .await?;
        let ended: Vec<String> = sqlx::query_scalar(
            "UPDATE acme_accounts SET ended_at = ?2, ended_by = 'operator' WHERE party = ?1 AND ended_at IS NULL
             RETURNING id",
        )
        .bind(party.as_str())
        .bind(now.seconds())
        .fetch_all(&mut *self.tx)
        .await?;
        for id in ended {
            let what = format!("ACME account {id} ended");
            self.audit(AuditEvent::changed(actor, now, &what).party(party)).await?;
        }
        Ok(())
    }
}

async fn account_by_key(connection: &mut SqliteConnection, key: [u8; 32]) -> Result<Option<AccountRow>> {
    let row = sqlx::query(
        "SELECT acme_accounts.*, parties.suspended_since FROM acme_accounts JOIN parties ON name = party
         WHERE key_thumbprint = ?1",
    )
    .bind(&key[..])
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(account_row).transpose()
}

fn binding_row(row: &SqliteRow) -> Result<BindingRow> {
    Ok(BindingRow {
        id: row.try_get("id")?,
        party: party(row, "party")?,
        profile: row.try_get("profile")?,
        names: unlisted(row, "names")?,
        created_at: time(row, "created_at")?,
        expires_at: time(row, "expires_at")?,
    })
}

fn account_row(row: &SqliteRow) -> Result<AccountRow> {
    Ok(AccountRow {
        id: row.try_get("id")?,
        party: party(row, "party")?,
        profile: row.try_get("profile")?,
        names: unlisted(row, "names")?,
        jwk: row.try_get("jwk")?,
        contact: unlisted(row, "contact")?,
        created_at: time(row, "created_at")?,
        ended_at: maybe_time(row, "ended_at")?,
        ended_itself: row.try_get::<Option<String>, _>("ended_by")?.as_deref() == Some("itself"),
        suspended_since: maybe_time(row, "suspended_since")?,
    })
}
