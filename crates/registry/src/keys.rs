//! Key pins and subject rules: the ways in that survive a renewal.

use examiner::{Certificate, KeyPin, Name, UnixTime};
use policy::record::{KeyRecord, PinExceptions, Revoked, SubjectRule, names_digest};
use policy::{PartyName, RecordChange};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::audit::AuditEvent;
use crate::certificates::choose_label;
use crate::error::{RegistryError, Result};
use crate::feed::Write;
use crate::open::{Actor, Registry};
use crate::rows::{digest, exceptions, key_pin, party, revoked};
use crate::said::Said;

/// A key pin on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub key_pin: KeyPin,
    /// What the party calls it.
    pub label: String,
    /// The subject recorded with it, RFC 4514; for showing only.
    pub subject: String,
    /// Digest of the subject and SANs recorded with it.
    pub names: [u8; 32],
    /// When and why it was revoked.
    pub revoked: Option<Revoked>,
    /// Dated exceptions.
    pub exceptions: PinExceptions,
}

/// A subject rule on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectRow {
    /// The CA's name.
    pub ca: String,
    /// The subject, RFC 4514; for showing only.
    pub subject: String,
    /// The comparable form of the subject.
    pub key: [u8; 32],
}

impl Registry {
    /// Pins the certificate's public key together with its subject and SANs. A party that is new is put on record with
    /// it: both are, or neither.
    ///
    /// The same again only takes over the exceptions. `Err(Conflict)` if another party has it or it was revoked.
    pub async fn add_key_pin(
        &self,
        party: &PartyName,
        label: Option<String>,
        certificate: &Certificate,
        exceptions: PinExceptions,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<()> {
        let mut write = self.write(now).await?;
        write.party(party, actor, now).await?;
        let names = names_digest(certificate);
        let known = sqlx::query("SELECT * FROM keys WHERE key_pin = ?1 AND names = ?2")
            .bind(&certificate.key_pin.0[..])
            .bind(&names[..])
            .fetch_optional(&mut *write.tx)
            .await?;
        let label = match known.as_ref().map(record).transpose()? {
            Some(known) if known.party != *party => {
                return Err(RegistryError::conflict(format!(
                    "the key is pinned for party `{}`",
                    known.party
                )));
            }
            Some(KeyRecord { revoked: Some(Revoked { at, .. }), .. }) => {
                return Err(RegistryError::conflict(format!("the key was revoked on {}", at.date())));
            }
            Some(known) if known.exceptions == exceptions => return Ok(()),
            Some(known) => known.label,
            None => {
                let taken: Vec<String> = sqlx::query_scalar("SELECT label FROM keys WHERE party = ?1")
                    .bind(party.as_str())
                    .fetch_all(&mut *write.tx)
                    .await?;
                choose_label(label.as_deref(), "key", &taken)?
            }
        };
        sqlx::query(
            "INSERT INTO keys (key_pin, party, label, names, subject, without_client_usage_until, ca_certificate_until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (key_pin, names) DO UPDATE SET
                 without_client_usage_until = excluded.without_client_usage_until,
                 ca_certificate_until = excluded.ca_certificate_until",
        )
        .bind(&certificate.key_pin.0[..])
        .bind(party.as_str())
        .bind(&label)
        .bind(&names[..])
        .bind(certificate.subject.to_string())
        .bind(exceptions.without_client_usage_until.map(UnixTime::seconds))
        .bind(exceptions.ca_certificate_until.map(UnixTime::seconds))
        .execute(&mut *write.tx)
        .await?;
        write.feed_key(&certificate.key_pin).await?;
        let pin = certificate.key_pin.to_string();
        let what = Said::KeyPinned(&label, &pin);
        let event = AuditEvent::changed(actor, now, what).party(party).thumbprint(&certificate.thumbprint);
        write.audit(event).await?;
        write.commit(self).await
    }

    /// Lets a subject from one CA lead to a party. A party that is new is put on record with it: both are, or neither.
    ///
    /// `Err(Invalid)` if the subject is empty or holds a string type that never matches; `Err(Conflict)` if it leads to
    /// another party.
    pub async fn add_subject_rule(
        &self,
        party: &PartyName,
        ca: &str,
        subject: &Name,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<()> {
        let key = subject.key().ok_or_else(|| RegistryError::Invalid {
            what: format!("the subject `{subject}` can never match"),
        })?;
        let mut write = self.write(now).await?;
        write.party(party, actor, now).await?;
        let known: Option<String> =
            sqlx::query_scalar("SELECT party FROM subjects WHERE ca = ?1 AND subject = ?2")
                .bind(ca)
                .bind(&key.0[..])
                .fetch_optional(&mut *write.tx)
                .await?;
        match known {
            Some(other) if other == party.as_str() => return Ok(()),
            Some(other) => {
                return Err(RegistryError::conflict(format!("the subject leads to party `{other}`")));
            }
            None => {}
        }
        sqlx::query("INSERT INTO subjects (ca, subject, shown, party) VALUES (?1, ?2, ?3, ?4)")
            .bind(ca)
            .bind(&key.0[..])
            .bind(subject.to_string())
            .bind(party.as_str())
            .execute(&mut *write.tx)
            .await?;
        let rule = SubjectRule { ca: ca.to_owned(), subject: key.0 };
        write.feed(&RecordChange::Subject(rule, Some(party.clone()))).await?;
        let subject = subject.to_string();
        let what = Said::SubjectAdded(&subject, ca);
        write.audit(AuditEvent::changed(actor, now, what).party(party)).await?;
        write.commit(self).await
    }

    /// A party's key pins, oldest first.
    pub async fn key_pins(&self, party: &PartyName) -> Result<Vec<KeyRow>> {
        let rows = sqlx::query("SELECT * FROM keys WHERE party = ?1 ORDER BY number")
            .bind(party.as_str())
            .fetch_all(&self.readers)
            .await?;
        rows.iter()
            .map(|row| {
                let KeyRecord { label, names, revoked, exceptions, .. } = record(row)?;
                let subject = row.try_get("subject")?;
                Ok(KeyRow { key_pin: key_pin(row)?, label, subject, names, revoked, exceptions })
            })
            .collect()
    }

    /// A party's subject rules by CA.
    pub async fn subject_rules(&self, party: &PartyName) -> Result<Vec<SubjectRow>> {
        let rows = sqlx::query("SELECT ca, shown, subject FROM subjects WHERE party = ?1 ORDER BY ca, shown")
            .bind(party.as_str())
            .fetch_all(&self.readers)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(SubjectRow {
                    ca: row.try_get("ca")?,
                    subject: row.try_get("shown")?,
                    key: digest(row, "subject")?,
                })
            })
            .collect()
    }
}

impl Write {
    /// Feeds all records of a key as they now are.
    pub(crate) async fn feed_key(&mut self, pin: &KeyPin) -> Result<()> {
        let rows = sqlx::query("SELECT * FROM keys WHERE key_pin = ?1 ORDER BY number")
            .bind(&pin.0[..])
            .fetch_all(&mut *self.tx)
            .await?;
        let records = rows.iter().map(record).collect::<Result<_>>()?;
        self.feed(&RecordChange::Key(*pin, records)).await
    }
}

pub(crate) fn record(row: &SqliteRow) -> Result<KeyRecord> {
    Ok(KeyRecord {
        party: party(row, "party")?,
        label: row.try_get("label")?,
        names: digest(row, "names")?,
        revoked: revoked(row)?,
        exceptions: exceptions(row)?,
    })
}
