//! Who knocked with a certificate that leads to nobody, and may be approved. Bounded, whoever knocks.

use std::net::IpAddr;

use examiner::{Certificate, Thumbprint, UnixTime};
use policy::record::names_digest;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::audit::AuditEvent;
use crate::error::{RegistryError, Result};
use crate::ignored;
use crate::open::{Actor, Registry};
use crate::rows::{damaged, thumbprint, time};

const MOST_ENTRIES: i64 = 1_000;
const MOST_PER_PREFIX: i64 = 20;
const KEPT_SECONDS: i64 = 30 * 86_400;
const MOST_REFERENCES: usize = 64;

/// A refused visit with a certificate whose key was proven.
#[derive(Clone, Debug)]
pub struct Knock {
    /// The certificate's DER.
    pub der: Vec<u8>,
    /// The site knocked at.
    pub site: String,
    /// The refusal's code.
    pub reason: String,
    /// What the operator should see, such as `name equals own CA`; empty if nothing.
    pub note: String,
    /// Where from.
    pub address: IpAddr,
    /// The reference the visitor was shown.
    pub reference: String,
    /// When.
    pub at: UnixTime,
}

/// A pending certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRow {
    /// Its short identifier, the beginning of the thumbprint.
    pub id: String,
    /// Its subject, RFC 4514.
    pub subject: String,
    /// Its issuer, RFC 4514.
    pub issuer: String,
    /// SHA-256 of its DER.
    pub thumbprint: Thumbprint,
    /// The last refusal's code.
    pub reason: String,
    /// What the operator should see.
    pub note: String,
    /// The site last knocked at.
    pub site: String,
    /// How often it knocked.
    pub count: i64,
    /// When first.
    pub first_seen: UnixTime,
    /// When last.
    pub last_seen: UnixTime,
    /// Its DER.
    pub der: Vec<u8>,
    /// Where from, last.
    pub address: String,
    /// The last references its visitor was shown, oldest first.
    pub references: Vec<String>,
}

impl Registry {
    /// Notes a knock: one entry for each public key, at most 20 for each source prefix and 1,000 in all, for 30 days
    /// after the last knock. A new one beyond that is dropped and counted.
    ///
    /// The same key with another certificate becomes a new entry in place of the old, without its references, so that
    /// nobody approves what they have not seen. One that is on record is not pending: it knocked before the gate had heard
    /// of its approval. Of an issuer that is ignored only the knocks are counted.
    pub async fn knock(&self, knock: Knock) -> Result<()> {
        let certificate = Certificate::from_der(&knock.der)
            .map_err(|error| RegistryError::Invalid { what: error.to_string() })?;
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM pending WHERE last_seen < ?1")
            .bind(knock.at.seconds() - KEPT_SECONDS)
            .execute(&mut *tx)
            .await?;
        if !is_on_record(&mut tx, &certificate).await?
            && !ignored::counts(&mut tx, &certificate, knock.at).await?
        {
            note(&mut tx, &certificate, &knock).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// How many certificates are pending.
    pub async fn count_pending(&self) -> Result<usize> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM pending").fetch_one(&self.readers).await?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// All pending certificates, last seen first.
    pub async fn pendings(&self) -> Result<Vec<PendingRow>> {
        let rows =
            sqlx::query("SELECT * FROM pending ORDER BY last_seen DESC, id").fetch_all(&self.readers).await?;
        rows.iter().map(pending_row).collect()
    }

    /// The pending certificate with this identifier.
    pub async fn pending(&self, id: &str) -> Result<Option<PendingRow>> {
        let row =
            sqlx::query("SELECT * FROM pending WHERE id = ?1").bind(id).fetch_optional(&self.readers).await?;
        row.as_ref().map(pending_row).transpose()
    }

    /// How many knocks were dropped because the list or the source's share of it was full.
    pub async fn pending_dropped(&self) -> Result<u64> {
        let dropped: i64 =
            sqlx::query_scalar("SELECT pending_dropped FROM meta").fetch_one(&self.readers).await?;
        Ok(dropped.unsigned_abs())
    }

    /// Removes a pending certificate; `verdict` goes into the audit, such as `approved` or `dismissed`.
    pub async fn remove_pending(&self, id: &str, actor: &Actor, verdict: &str, now: UnixTime) -> Result<()> {
        let mut write = self.write(now).await?;
        let row = sqlx::query("DELETE FROM pending WHERE id = ?1 RETURNING *")
            .bind(id)
            .fetch_optional(&mut *write.tx)
            .await?;
        let row = row.ok_or_else(|| RegistryError::not_found(format!("pending certificate `{id}`")))?;
        let row = pending_row(&row)?;
        let mut event = AuditEvent::changed(actor, now, format!("pending certificate `{id}` {verdict}"));
        event.site = Some(row.site);
        write.audit(event.thumbprint(&row.thumbprint)).await?;
        write.commit(self).await
    }
}

/// Whether the certificate leads to somebody by now: it is on record itself, or its key is, with the same names.
async fn is_on_record(tx: &mut SqliteConnection, certificate: &Certificate) -> Result<bool> {
    let found: i64 = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM certificates WHERE thumbprint = ?1)
             OR EXISTS (SELECT 1 FROM keys WHERE key_pin = ?2 AND names = ?3)",
    )
    .bind(&certificate.thumbprint.0[..])
    .bind(&certificate.key_pin.0[..])
    .bind(&names_digest(certificate)[..])
    .fetch_one(tx)
    .await?;
    Ok(found != 0)
}

async fn note(tx: &mut SqliteConnection, certificate: &Certificate, knock: &Knock) -> Result<()> {
    let known = sqlx::query("SELECT * FROM pending WHERE key_pin = ?1")
        .bind(&certificate.key_pin.0[..])
        .fetch_optional(&mut *tx)
        .await?;
    let known = known.as_ref().map(pending_row).transpose()?;
    match known.filter(|row| row.thumbprint == certificate.thumbprint) {
        Some(row) => again(tx, row, knock).await,
        None => {
            sqlx::query("DELETE FROM pending WHERE key_pin = ?1")
                .bind(&certificate.key_pin.0[..])
                .execute(&mut *tx)
                .await?;
            first(tx, certificate, knock).await
        }
    }
}

async fn again(tx: &mut SqliteConnection, row: PendingRow, knock: &Knock) -> Result<()> {
    let mut references = row.references;
    if !references.contains(&knock.reference) {
        references.push(knock.reference.clone());
    }
    let surplus = references.len().saturating_sub(MOST_REFERENCES);
    references.drain(..surplus);
    sqlx::query(
        "UPDATE pending SET count = count + 1, last_seen = max(last_seen, ?2), site = ?3, reason = ?4, note = ?5,
             address = ?6, refs = ?7 WHERE id = ?1",
    )
    .bind(&row.id)
    .bind(knock.at.seconds())
    .bind(&knock.site)
    .bind(&knock.reason)
    .bind(&knock.note)
    .bind(knock.address.to_canonical().to_string())
    .bind(serde_json::to_string(&references).map_err(damaged)?)
    .execute(tx)
    .await?;
    Ok(())
}

async fn first(tx: &mut SqliteConnection, certificate: &Certificate, knock: &Knock) -> Result<()> {
    let prefix = prefix(knock.address);
    let (all, near): (i64, i64) = sqlx::query_as("SELECT count(*), ifnull(sum(prefix = ?1), 0) FROM pending")
        .bind(&prefix)
        .fetch_one(&mut *tx)
        .await?;
    if all >= MOST_ENTRIES || near >= MOST_PER_PREFIX {
        sqlx::query("UPDATE meta SET pending_dropped = pending_dropped + 1").execute(tx).await?;
        return Ok(());
    }
    // Eight digits, more where another entry begins alike.
    let long = certificate.thumbprint.to_string();
    let mut length = 8;
    loop {
        let taken: i64 = sqlx::query_scalar("SELECT count(*) FROM pending WHERE id = ?1")
            .bind(&long[..length])
            .fetch_one(&mut *tx)
            .await?;
        if taken == 0 || length == long.len() {
            break;
        }
        length += 4;
    }
    sqlx::query(
        "INSERT INTO pending (id, key_pin, thumbprint, prefix, address, site, reason, note, subject, issuer, count,
             first_seen, last_seen, refs, der)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, ?11, ?11, ?12, ?13)",
    )
    .bind(&long[..length])
    .bind(&certificate.key_pin.0[..])
    .bind(&certificate.thumbprint.0[..])
    .bind(prefix)
    .bind(knock.address.to_canonical().to_string())
    .bind(&knock.site)
    .bind(&knock.reason)
    .bind(&knock.note)
    .bind(certificate.subject.to_string())
    .bind(certificate.issuer.to_string())
    .bind(knock.at.seconds())
    .bind(serde_json::to_string(&[&knock.reference]).map_err(damaged)?)
    .bind(&knock.der)
    .execute(tx)
    .await?;
    Ok(())
}

/// The /24 or /48 an address lies in.
fn prefix(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

fn pending_row(row: &SqliteRow) -> Result<PendingRow> {
    Ok(PendingRow {
        id: row.try_get("id")?,
        subject: row.try_get("subject")?,
        issuer: row.try_get("issuer")?,
        thumbprint: thumbprint(row)?,
        reason: row.try_get("reason")?,
        note: row.try_get("note")?,
        site: row.try_get("site")?,
        count: row.try_get("count")?,
        first_seen: time(row, "first_seen")?,
        last_seen: time(row, "last_seen")?,
        der: row.try_get("der")?,
        address: row.try_get("address")?,
        references: serde_json::from_str(row.try_get("refs")?).map_err(damaged)?,
    })
}
