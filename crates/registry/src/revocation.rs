//! Revocation: never lost, and but for a hold never undone.

use examiner::{KeyPin, Thumbprint, UnixTime};
use policy::{PartyName, RecordChange};
use sqlx::Row;

use crate::audit::AuditEvent;
use crate::certificates::{CertificateRow, Issuer};
use crate::error::{RegistryError, Result};
use crate::feed::Write;
use crate::open::{Actor, Registry};
use crate::parties;
use crate::rows::{key_pin, thumbprint, time};
use crate::said::Said;

/// The reason that also denies the key itself, whoever issues it another certificate.
pub(crate) const KEY_COMPROMISE: &str = "key-compromise";

/// The only reason that can be taken back.
pub(crate) const HOLD: &str = "certificate-hold";

/// How long past its end a revoked certificate stays listed.
const LISTED_BEYOND_END_SECONDS: i64 = 7 * 86_400;

/// A revoked certificate of the own authority, for a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedSerial {
    /// The serial number's content octets, big-endian.
    pub serial: Vec<u8>,
    /// Since when.
    pub at: UnixTime,
    /// Why, such as `key-compromise`.
    pub reason: String,
    /// Last second of its validity.
    pub not_after: UnixTime,
    /// Its issuer's name, RFC 4514.
    pub issuer: String,
}

impl Registry {
    /// Revokes all certificates and keys of a party, removes its subject rules, withdraws its open invites and ends its ACME
    /// accounts, or revokes one certificate; returns the certificates revoked now.
    ///
    /// What was revoked before keeps its date. A hold becomes whatever is said; another reason only ever becomes
    /// `key-compromise`, which also denies the public keys. `Err(NotFound)` if the party has no such certificate.
    pub async fn revoke(
        &self,
        party: &PartyName,
        which: Option<&Thumbprint>,
        reason: &str,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<Vec<CertificateRow>> {
        let mut write = self.write(now).await?;
        let held = sqlx::query(
            "SELECT thumbprint FROM certificates WHERE holder_kind = 'party' AND holder = ?1
                 AND (?2 IS NULL OR thumbprint = ?2)
             ORDER BY number",
        )
        .bind(party.as_str())
        .bind(which.map(|thumbprint| thumbprint.0.to_vec()))
        .fetch_all(&mut *write.tx)
        .await?;
        if held.is_empty() {
            if let Some(thumbprint) = which {
                return Err(RegistryError::not_found(format!("certificate {thumbprint} of party `{party}`")));
            }
            parties::find(&mut write.tx, party).await?.ok_or_else(|| parties::unknown(party))?;
        }
        let mut revoked = Vec::new();
        for row in &held {
            revoked.extend(write.revoke_certificate(&thumbprint(row)?, reason, actor, now).await?);
        }
        if which.is_none() {
            write.revoke_keys(party, reason, actor, now).await?;
            write.remove_subject_rules(party, actor, now).await?;
            write.withdraw_invites(party, actor, now).await?;
            write.end_accounts(party, actor, now).await?;
        }
        write.commit(self).await?;
        Ok(revoked)
    }

    /// What the revocation list of one CA has at `now`: its own revoked certificates until seven days past their end,
    /// inclusive. That is one list's life, so that no list loses an entry before the certificate's end.
    ///
    /// A certificate that does not tell its CA stands on every list.
    pub async fn revoked_serials(&self, issuer: Issuer, now: UnixTime) -> Result<Vec<RevokedSerial>> {
        let rows = sqlx::query(
            "SELECT serial, revoked_at, revoked_reason, not_after, issuer FROM certificates
             WHERE revoked_at IS NOT NULL AND origin = 'own' AND ifnull(issued_by, ?1) = ?1 AND not_after >= ?2
             ORDER BY number",
        )
        .bind(issuer.word())
        .bind(now.plus(-LISTED_BEYOND_END_SECONDS).seconds())
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(RevokedSerial {
                    serial: row.try_get("serial")?,
                    at: time(row, "revoked_at")?,
                    reason: row.try_get("revoked_reason")?,
                    not_after: time(row, "not_after")?,
                    issuer: row.try_get("issuer")?,
                })
            })
            .collect()
    }

    /// The next list's number, never given twice.
    pub async fn next_crl_number(&self) -> Result<u64> {
        if self.restored().is_some() {
            // Its number may have been given out, with more on the list than is known here.
            return Err(RegistryError::NotConfirmed);
        }
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let number: i64 =
            sqlx::query_scalar("UPDATE meta SET crl_number = crl_number + 1 RETURNING crl_number")
                .fetch_one(&mut *tx)
                .await?;
        tx.commit().await?;
        Ok(number.unsigned_abs())
    }
}

impl Registry {
    /// Revokes what one CA's list says, serial numbers (big-endian content octets) with reasons, where it is on record
    /// and not revoked: a list that was given out is never taken back. Returns what is revoked now.
    pub async fn revoke_listed(
        &self,
        issuer: Issuer,
        listed: &[(Vec<u8>, String)],
        actor: &Actor,
        now: UnixTime,
    ) -> Result<Vec<CertificateRow>> {
        let mut write = self.write(now).await?;
        let mut revoked = Vec::new();
        for (serial, reason) in listed {
            let known: Option<Vec<u8>> = sqlx::query_scalar(
                "SELECT thumbprint FROM certificates WHERE issued_by = ?1 AND serial = ?2 AND revoked_at IS NULL",
            )
            .bind(issuer.word())
            .bind(serial)
            .fetch_optional(&mut *write.tx)
            .await?;
            if let Some(known) = known.and_then(|bytes| bytes.try_into().ok()) {
                revoked.extend(write.revoke_certificate(&Thumbprint(known), reason, actor, now).await?);
            }
        }
        if !revoked.is_empty() {
            write.commit(self).await?;
        }
        Ok(revoked)
    }
}

impl Write {
    /// Revokes one certificate; `None` if that changed nothing.
    pub(crate) async fn revoke_certificate(
        &mut self,
        thumbprint: &Thumbprint,
        reason: &str,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<Option<CertificateRow>> {
        let done = sqlx::query(
            "UPDATE certificates SET revoked_at = ifnull(revoked_at, ?2), revoked_reason = ?3
             WHERE thumbprint = ?1
                 AND (revoked_at IS NULL OR (?3 = 'key-compromise' AND revoked_reason <> ?3)
                     OR (revoked_reason = 'certificate-hold' AND ?3 <> revoked_reason))",
        )
        .bind(&thumbprint.0[..])
        .bind(now.seconds())
        .bind(reason)
        .execute(&mut *self.tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let (row, record) = self.feed_certificate(thumbprint).await?;
        let what = Said::CertificateRevoked(&row.label, reason);
        let event = AuditEvent::changed(actor, now, what).holder(&record.holder).thumbprint(thumbprint);
        self.audit(event).await?;
        if reason == KEY_COMPROMISE {
            self.deny_key(&row.key_pin, now).await?;
        }
        Ok(Some(row))
    }

    async fn revoke_keys(
        &mut self,
        party: &PartyName,
        reason: &str,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<()> {
        let keys = sqlx::query(
            "UPDATE keys SET revoked_at = ifnull(revoked_at, ?2), revoked_reason = ?3
             WHERE party = ?1
                 AND (revoked_at IS NULL OR (?3 = 'key-compromise' AND revoked_reason <> ?3)
                     OR (revoked_reason = 'certificate-hold' AND ?3 <> revoked_reason))
             RETURNING key_pin, label",
        )
        .bind(party.as_str())
        .bind(now.seconds())
        .bind(reason)
        .fetch_all(&mut *self.tx)
        .await?;
        for row in &keys {
            let pin = key_pin(row)?;
            self.feed_key(&pin).await?;
            let label: String = row.try_get("label")?;
            let shown = pin.to_string();
            let what = Said::KeyRevoked(&label, reason, &shown);
            self.audit(AuditEvent::changed(actor, now, what).party(party)).await?;
            if reason == KEY_COMPROMISE {
                self.deny_key(&pin, now).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn deny_key(&mut self, pin: &KeyPin, now: UnixTime) -> Result<()> {
        let done =
            sqlx::query("INSERT INTO compromised_keys (key_pin, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
                .bind(&pin.0[..])
                .bind(now.seconds())
                .execute(&mut *self.tx)
                .await?;
        if done.rows_affected() == 0 {
            return Ok(());
        }
        self.feed(&RecordChange::CompromisedKey(*pin, true)).await
    }
}
