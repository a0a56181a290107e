//! Orders, and the authorisations that they wait for.

use examiner::{Certificate, Thumbprint, UnixTime};
use policy::{Holder, PartyName};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{list, unlisted};
use crate::audit::AuditEvent;
use crate::certificates::{self, CertificateRow, NewCertificate};
use crate::error::{RegistryError, Result};
use crate::feed::Write;
use crate::invites::random;
use crate::open::{Actor, Registry};
use crate::rows::{damaged, hex, maybe_time, time};

/// How long an order can be fulfilled, in seconds: a day.
pub const ORDER_SECONDS: i64 = 86_400;
/// Orders of one account that are open at once.
pub const OPEN_ORDERS_MOST: i64 = 50;
/// How long an order stays on record after its end, in seconds: a day.
const ORDER_KEPT_SECONDS: i64 = 86_400;

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

/// A challenge that is said to be fulfilled, with what it takes to look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToProve {
    /// The authorisation's name.
    pub authorisation: String,
    /// The account that is to be authorised.
    pub account: String,
    /// The host.
    pub name: String,
    /// The token of the authorisation's challenges.
    pub token: String,
    /// The challenge that was chosen.
    pub way: String,
    /// The thumbprint of the account's key (RFC 7638).
    pub key: [u8; 32],
}

impl Registry {
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

    /// The challenges that are said to be fulfilled, of orders and accounts that are open, oldest orders first.
    pub async fn to_be_proved(&self, now: UnixTime) -> Result<Vec<ToProve>> {
        let rows = sqlx::query(
            "SELECT acme_authorisations.id, account, acme_authorisations.name, token, way, key_thumbprint
             FROM acme_authorisations JOIN acme_orders ON acme_orders.id = order_id
                 JOIN acme_accounts ON acme_accounts.id = account JOIN parties ON parties.name = party
             WHERE state = 'processing' AND acme_orders.expires_at >= ?1 AND ended_at IS NULL
                 AND suspended_since IS NULL
             ORDER BY acme_orders.created_at, acme_authorisations.rowid",
        )
        .bind(now.seconds())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(to_prove).collect()
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
    pub(super) async fn close_order(
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

fn to_prove(row: &SqliteRow) -> Result<ToProve> {
    let key: Vec<u8> = row.try_get("key_thumbprint")?;
    Ok(ToProve {
        authorisation: row.try_get("id")?,
        account: row.try_get("account")?,
        name: row.try_get("name")?,
        token: row.try_get("token")?,
        way: row.try_get("way")?,
        key: key.try_into().map_err(|_| damaged("a key's thumbprint is no SHA-256"))?,
    })
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
