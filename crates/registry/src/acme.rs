//! Machines by ACME (RFC 8555): external account bindings, accounts, orders, authorisations.
//!
//! A binding names a party, a profile and the names that may be ordered; who brings the MAC that goes with it makes one
//! account, which then stands for the party. The key of that MAC is not here: it is made of the binding's identifier and
//! a secret outside the database. Of an account its public key is kept.

use examiner::{Certificate, Thumbprint, UnixTime};
use policy::{Holder, PartyName};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::audit::AuditEvent;
use crate::certificates::{self, CertificateRow, NewCertificate};
use crate::error::{RegistryError, Result};
use crate::feed::Write;
use crate::invites::{LIFE_MOST_SECONDS, random};
use crate::open::{Actor, Registry};
use crate::parties;
use crate::rows::{damaged, hex, maybe_time, party, time};

/// How long an order can be fulfilled, in seconds: a day.
pub const ORDER_SECONDS: i64 = 86_400;
/// Orders of one account that are open at once.
pub const OPEN_ORDERS_MOST: i64 = 50;
/// How long bindings and orders stay on record after their end, in seconds: 30 days and one.
const BINDING_KEPT_SECONDS: i64 = 30 * 86_400;
const ORDER_KEPT_SECONDS: i64 = 86_400;

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

/// An order to be made.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// The account that orders.
    pub account: String,
    /// What is ordered.
    pub names: Vec<String>,
    /// Whether the account is authorised for these names already; otherwise each is to be proved.
    pub is_authorised: bool,
    /// The certificate that the new one takes the place of.
    pub replaces: Option<Thumbprint>,
}

/// An order on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// Its name, at the end of its address.
    pub id: String,
    /// The account that ordered.
    pub account: String,
    /// What was ordered.
    pub names: Vec<String>,
    /// The certificate that the new one takes the place of.
    pub replaces: Option<Thumbprint>,
    /// When it was made.
    pub created_at: UnixTime,
    /// Its last second, unless it is fulfilled.
    pub expires_at: UnixTime,
    /// The certificate that fulfilled it: DER.
    pub certificate: Option<Vec<u8>>,
    /// Its authorisations, in the order of the names.
    pub authorisations: Vec<AuthorisationRow>,
}

/// How far an authorisation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorisationState {
    /// A challenge is to be fulfilled.
    Pending,
    /// A challenge is said to be fulfilled, and is looked at.
    Processing,
    /// The account may have the name.
    Valid,
    /// It may not.
    Invalid,
    /// The account gave it up.
    Deactivated,
}

impl AuthorisationState {
    const ALL: [Self; 5] = [Self::Pending, Self::Processing, Self::Valid, Self::Invalid, Self::Deactivated];

    /// The word for it (RFC 8555 section 7.1.6).
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Deactivated => "deactivated",
        }
    }
}

/// An authorisation on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorisationRow {
    /// Its name, at the end of its address.
    pub id: String,
    /// The order it belongs to.
    pub order: String,
    /// The name it is for.
    pub name: String,
    /// 128 random bits, as 32 hexadecimal digits, for its challenges.
    pub token: String,
    /// How far it is.
    pub state: AuthorisationState,
    /// The challenge that was chosen, such as `http-01`; none where the account was authorised already.
    pub way: Option<String>,
    /// When it became valid or invalid.
    pub decided_at: Option<UnixTime>,
    /// Why it is invalid.
    pub error: Option<String>,
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

    /// Makes an order, whose authorisations are valid where the account is authorised already.
    ///
    /// `Err(Invalid)` where the account has as many open ones as it may have, `Err(Conflict)` where another order replaces
    /// the same certificate.
    pub async fn add_order(&self, new: NewOrder, now: UnixTime) -> Result<OrderRow> {
        let mut write = self.write(now).await?;
        sqlx::query(
            "DELETE FROM acme_orders WHERE expires_at < ?1 AND (thumbprint IS NULL OR not_after < ?1)",
        )
        .bind(now.plus(-ORDER_KEPT_SECONDS).seconds())
        .execute(&mut *write.tx)
        .await?;
        let open: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM acme_orders WHERE account = ?1 AND thumbprint IS NULL AND expires_at >= ?2",
        )
        .bind(&new.account)
        .bind(now.seconds())
        .fetch_one(&mut *write.tx)
        .await?;
        if open >= OPEN_ORDERS_MOST {
            return Err(RegistryError::Invalid { what: format!("{open} orders of this account are open") });
        }
        if let Some(replaced) = &new.replaces {
            let other: Option<String> = sqlx::query_scalar(
                "SELECT id FROM acme_orders WHERE replaces = ?1 AND (thumbprint IS NOT NULL OR expires_at >= ?2)
                     AND NOT EXISTS (SELECT 1 FROM acme_authorisations WHERE order_id = acme_orders.id AND state = 'invalid')",
            )
            .bind(&replaced.0[..])
            .bind(now.seconds())
            .fetch_optional(&mut *write.tx)
            .await?;
            if other.is_some() {
                return Err(RegistryError::conflict("another order replaces this certificate"));
            }
        }
        let id = hex(&random::<8>()?);
        sqlx::query(
            "INSERT INTO acme_orders (id, account, names, replaces, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .bind(&id)
        .bind(&new.account)
        .bind(list(&new.names)?)
        .bind(new.replaces.map(|one| one.0.to_vec()))
        .bind(now.seconds())
        .bind(now.plus(ORDER_SECONDS).seconds())
        .execute(&mut *write.tx)
        .await?;
        let state = if new.is_authorised { AuthorisationState::Valid } else { AuthorisationState::Pending };
        for name in &new.names {
            sqlx::query(
                "INSERT INTO acme_authorisations (id, order_id, name, token, state, decided_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )
            .bind(hex(&random::<8>()?))
            .bind(&id)
            .bind(name)
            .bind(hex(&random::<16>()?))
            .bind(state.word())
            .bind(new.is_authorised.then_some(now.seconds()))
            .execute(&mut *write.tx)
            .await?;
        }
        let made = order(&mut write.tx, &id).await?.ok_or(RegistryError::OrderNotOpen)?;
        write.commit(self).await?;
        Ok(made)
    }

    /// The order of this name.
    pub async fn order(&self, id: &str) -> Result<Option<OrderRow>> {
        order(self.readers.acquire().await?.as_mut(), id).await
    }

    /// The names of an account's orders that are open or were fulfilled, newest first, at most so many.
    pub async fn orders_of(&self, account: &str, most: u32, now: UnixTime) -> Result<Vec<String>> {
        let all = sqlx::query_scalar(
            "SELECT id FROM acme_orders WHERE account = ?1 AND (thumbprint IS NOT NULL OR expires_at >= ?2)
             ORDER BY created_at DESC, id LIMIT ?3",
        )
        .bind(account)
        .bind(now.seconds())
        .bind(most)
        .fetch_all(&self.readers)
        .await?;
        Ok(all)
    }

    /// The authorisation of this name, with the order it belongs to.
    pub async fn authorisation(&self, id: &str) -> Result<Option<(AuthorisationRow, OrderRow)>> {
        let mut connection = self.readers.acquire().await?;
        let found: Option<String> =
            sqlx::query_scalar("SELECT order_id FROM acme_authorisations WHERE id = ?1")
                .bind(id)
                .fetch_optional(&mut *connection)
                .await?;
        let Some(found) = found else { return Ok(None) };
        let order = order(&mut connection, &found).await?;
        Ok(order.and_then(|order| {
            let one = order.authorisations.iter().find(|one| one.id == id).cloned()?;
            Some((one, order))
        }))
    }

    /// Notes that a challenge of a pending authorisation is said to be fulfilled. `false` where it is not pending.
    pub async fn begin_authorisation(&self, id: &str, way: &str, now: UnixTime) -> Result<bool> {
        self.move_authorisation(
            id,
            AuthorisationState::Pending,
            AuthorisationState::Processing,
            way,
            None,
            now,
        )
        .await
    }

    /// Notes what came of looking at an authorisation's challenge: nothing against it, or why not. `false` where nobody
    /// was to look.
    pub async fn decide_authorisation(
        &self,
        id: &str,
        way: &str,
        error: Option<&str>,
        now: UnixTime,
    ) -> Result<bool> {
        let to = if error.is_some() { AuthorisationState::Invalid } else { AuthorisationState::Valid };
        self.move_authorisation(id, AuthorisationState::Processing, to, way, error, now).await
    }

    /// Notes that an account gave an authorisation up. Nothing changes where it is invalid, or its order fulfilled.
    pub async fn give_up_authorisation(&self, id: &str, now: UnixTime) -> Result<()> {
        let mut write = self.write(now).await?;
        sqlx::query(
            "UPDATE acme_authorisations SET state = 'deactivated', decided_at = ?2
             WHERE id = ?1 AND state IN ('pending', 'processing', 'valid')
                 AND (SELECT thumbprint FROM acme_orders WHERE acme_orders.id = order_id) IS NULL",
        )
        .bind(id)
        .bind(now.seconds())
        .execute(&mut *write.tx)
        .await?;
        write.commit(self).await
    }

    async fn move_authorisation(
        &self,
        id: &str,
        from: AuthorisationState,
        to: AuthorisationState,
        way: &str,
        error: Option<&str>,
        now: UnixTime,
    ) -> Result<bool> {
        let mut write = self.write(now).await?;
        let is_end = matches!(to, AuthorisationState::Valid | AuthorisationState::Invalid);
        let done = sqlx::query(
            "UPDATE acme_authorisations SET state = ?3, way = ?4, error = ?5, decided_at = ?6
             WHERE id = ?1 AND state = ?2 AND (?2 = 'pending' OR way = ?4)",
        )
        .bind(id)
        .bind(from.word())
        .bind(to.word())
        .bind(way)
        .bind(error)
        .bind(is_end.then_some(now.seconds()))
        .execute(&mut *write.tx)
        .await?;
        write.commit(self).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Puts the certificate on record that fulfils an order, and lets the one that it replaces hold until `old_until`
    /// and no longer: all, or nothing.
    ///
    /// `Err(OrderNotOpen)` unless the order is open, all its authorisations are valid, and its account is open and of the
    /// certificate's holder, who is not suspended; for the rest like [`add_certificate`](Self::add_certificate).
    pub async fn fulfil_order(
        &self,
        id: &str,
        new: NewCertificate,
        old_until: UnixTime,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<CertificateRow> {
        let certificate = Certificate::from_der(&new.der)
            .map_err(|error| RegistryError::Invalid { what: error.to_string() })?;
        let Holder::Party(holder) = &new.holder else { return Err(RegistryError::OrderNotOpen) };
        let mut write = self.write(now).await?;
        let replaces = write.close_order(id, holder, &certificate, now).await?;
        write.refuse_known_key(&new, &certificate.key_pin).await?;
        certificates::insert(&mut write.tx, &new, &certificate).await?;
        let (row, record) = write.feed_certificate(&certificate.thumbprint).await?;
        let what = format!("ACME order {id} fulfilled: certificate `{}` added", row.label);
        let event = AuditEvent::changed(actor, now, &what).holder(&record.holder).thumbprint(&row.thumbprint);
        write.audit(event).await?;
        if let Some(old) = replaces {
            write.supersede_one(&old, old_until, actor, now).await?;
        }
        write.commit(self).await?;
        Ok(row)
    }

    /// Whether an order of this account was fulfilled with this certificate.
    pub async fn is_of_account(&self, account: &str, thumbprint: &Thumbprint) -> Result<bool> {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM acme_orders WHERE account = ?1 AND thumbprint = ?2")
                .bind(account)
                .bind(&thumbprint.0[..])
                .fetch_optional(&self.readers)
                .await?;
        Ok(found.is_some())
    }
}

impl Write {
    /// Closes an order with this certificate; what it replaces.
    async fn close_order(
        &mut self,
        id: &str,
        holder: &PartyName,
        certificate: &Certificate,
        now: UnixTime,
    ) -> Result<Option<Thumbprint>> {
        let row = sqlx::query(
            "UPDATE acme_orders SET thumbprint = ?3, not_after = ?4, der = ?5
             WHERE id = ?1 AND thumbprint IS NULL AND expires_at >= ?6
                 AND NOT EXISTS (SELECT 1 FROM acme_authorisations WHERE order_id = ?1 AND state <> 'valid')
                 AND EXISTS (SELECT 1 FROM acme_accounts JOIN parties ON name = party
                             WHERE acme_accounts.id = account AND party = ?2 AND ended_at IS NULL
                                 AND suspended_since IS NULL)
             RETURNING replaces",
        )
        .bind(id)
        .bind(holder.as_str())
        .bind(&certificate.thumbprint.0[..])
        .bind(certificate.not_after.seconds())
        .bind(certificate.der.to_vec())
        .bind(now.seconds())
        .fetch_optional(&mut *self.tx)
        .await?
        .ok_or(RegistryError::OrderNotOpen)?;
        replaced(&row)
    }

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

async fn order(connection: &mut SqliteConnection, id: &str) -> Result<Option<OrderRow>> {
    let row = sqlx::query("SELECT * FROM acme_orders WHERE id = ?1").bind(id);
    let Some(row) = row.fetch_optional(&mut *connection).await? else { return Ok(None) };
    let authorisations = sqlx::query("SELECT * FROM acme_authorisations WHERE order_id = ?1 ORDER BY rowid")
        .bind(id)
        .fetch_all(connection)
        .await?;
    Ok(Some(OrderRow {
        id: row.try_get("id")?,
        account: row.try_get("account")?,
        names: unlisted(&row, "names")?,
        replaces: replaced(&row)?,
        created_at: time(&row, "created_at")?,
        expires_at: time(&row, "expires_at")?,
        certificate: row.try_get("der")?,
        authorisations: authorisations.iter().map(authorisation_row).collect::<Result<_>>()?,
    }))
}

fn replaced(row: &SqliteRow) -> Result<Option<Thumbprint>> {
    let octets: Option<Vec<u8>> = row.try_get("replaces")?;
    let thumbprint = octets.map(<[u8; 32]>::try_from).transpose();
    Ok(thumbprint.map_err(|_| damaged("`replaces` is no SHA-256"))?.map(Thumbprint))
}

fn authorisation_row(row: &SqliteRow) -> Result<AuthorisationRow> {
    let state: String = row.try_get("state")?;
    let state = AuthorisationState::ALL.into_iter().find(|one| one.word() == state);
    Ok(AuthorisationRow {
        id: row.try_get("id")?,
        order: row.try_get("order_id")?,
        name: row.try_get("name")?,
        token: row.try_get("token")?,
        state: state.ok_or_else(|| damaged("an authorisation's state is none"))?,
        way: row.try_get("way")?,
        decided_at: maybe_time(row, "decided_at")?,
        error: row.try_get("error")?,
    })
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

/// Texts in one column, as JSON.
fn list(texts: &[String]) -> Result<String> {
    serde_json::to_string(texts).map_err(damaged)
}

fn unlisted(row: &SqliteRow, column: &str) -> Result<Vec<String>> {
    serde_json::from_str(row.try_get(column)?).map_err(damaged)
}
