//! Server certificates that fulfilled orders: nobody enters with one, so that they are on record with their order alone.

use examiner::{Certificate, Thumbprint, UnixTime};
use policy::PartyName;
use policy::issuance::Reason;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::audit::AuditEvent;
use crate::error::{RegistryError, Result};
use crate::open::{Actor, Registry};
use crate::rows::{maybe_time, party};

/// A server certificate on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerCertificateRow {
    /// The account that it was issued to.
    pub account: String,
    /// Whose account that is.
    pub party: PartyName,
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// When it was given back.
    pub revoked_at: Option<UnixTime>,
}

impl Registry {
    /// Writes down, with the end of an order, the server certificate that fulfils it. The caller gives it out after that.
    ///
    /// `Err(OrderNotOpen)` as [`fulfil_order`](Self::fulfil_order), `Err(KeyKnown)` for a key that was compromised.
    pub async fn fulfil_server_order(
        &self,
        id: &str,
        (holder, names): (&PartyName, &[String]),
        der: &[u8],
        actor: &Actor,
        now: UnixTime,
    ) -> Result<()> {
        let certificate =
            Certificate::from_der(der).map_err(|error| RegistryError::Invalid { what: error.to_string() })?;
        let mut write = self.write(now).await?;
        write.close_order(id, holder, &certificate, now).await?;
        write.refuse_compromised(&certificate.key_pin).await?;
        let what = format!(
            "ACME order {id} fulfilled: server certificate for {} issued, serial {}, until {}",
            names.join(", "),
            certificate.serial_hex(),
            certificate.not_after
        );
        let event = AuditEvent::changed(actor, now, &what).party(holder).thumbprint(&certificate.thumbprint);
        write.audit(event).await?;
        write.commit(self).await
    }

    /// The server certificate of this hash that fulfilled an order.
    pub async fn server_certificate(&self, thumbprint: &Thumbprint) -> Result<Option<ServerCertificateRow>> {
        let row = sqlx::query(
            "SELECT account, party, der, revoked_at FROM acme_orders
             JOIN acme_accounts ON acme_accounts.id = account WHERE profile = 'server' AND thumbprint = ?1",
        )
        .bind(&thumbprint.0[..])
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(server_row).transpose()
    }

    /// The server certificate in whose DER this serial number stands; whether as that, the caller looks.
    pub async fn server_certificate_of_serial(&self, serial: &[u8]) -> Result<Option<ServerCertificateRow>> {
        let row = sqlx::query(
            "SELECT account, party, der, revoked_at FROM acme_orders
             JOIN acme_accounts ON acme_accounts.id = account WHERE profile = 'server' AND instr(der, ?1) > 0",
        )
        .bind(serial)
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(server_row).transpose()
    }

    /// How many server certificates the accounts of a party got by orders that were made since then.
    pub async fn server_certificates_since(&self, party: &PartyName, since: UnixTime) -> Result<usize> {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM acme_orders JOIN acme_accounts ON acme_accounts.id = account
             WHERE profile = 'server' AND party = ?1 AND thumbprint IS NOT NULL AND acme_orders.created_at > ?2",
        )
        .bind(party.as_str())
        .bind(since.seconds())
        .fetch_one(&self.readers)
        .await?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Notes that a server certificate was given back; a key that was compromised is certified never again. `false` where
    /// it was noted before.
    pub async fn revoke_server_certificate(
        &self,
        thumbprint: &Thumbprint,
        reason: Reason,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<bool> {
        let mut write = self.write(now).await?;
        let row = sqlx::query(
            "UPDATE acme_orders SET revoked_at = ?2 WHERE thumbprint = ?1 AND revoked_at IS NULL
                 AND (SELECT profile FROM acme_accounts WHERE acme_accounts.id = account) = 'server'
             RETURNING der, (SELECT party FROM acme_accounts WHERE acme_accounts.id = account) AS party",
        )
        .bind(&thumbprint.0[..])
        .bind(now.seconds())
        .fetch_optional(&mut *write.tx)
        .await?;
        let Some(row) = row else { return Ok(false) };
        let (holder, der): (PartyName, Vec<u8>) = (party(&row, "party")?, row.try_get("der")?);
        let certificate = Certificate::from_der(&der)
            .map_err(|error| RegistryError::Invalid { what: error.to_string() })?;
        let what = format!("server certificate {} given back for {reason}", certificate.serial_hex());
        write.audit(AuditEvent::changed(actor, now, &what).party(&holder).thumbprint(thumbprint)).await?;
        if reason == Reason::KeyCompromise {
            write.deny_key(&certificate.key_pin, now).await?;
        }
        write.commit(self).await?;
        Ok(true)
    }
}

fn server_row(row: &SqliteRow) -> Result<ServerCertificateRow> {
    Ok(ServerCertificateRow {
        account: row.try_get("account")?,
        party: party(row, "party")?,
        der: row.try_get("der")?,
        revoked_at: maybe_time(row, "revoked_at")?,
    })
}
