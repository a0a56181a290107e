//! Certificates: pins, own certificates, operators'.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest as hash};
use examiner::{Certificate, KeyPin, Thumbprint, UnixTime};
use policy::record::{OperatorRole, Origin, PinExceptions, Revoked};
use policy::{CertificateRecord, Holder, PartyName, RecordChange};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::audit::AuditEvent;
use crate::error::{RegistryError, Result};
use crate::feed::Write;
use crate::open::{Actor, Registry};
use crate::parties;
use crate::rows::{damaged, exceptions, hex, key_pin, maybe_time, party, revoked, thumbprint, time};
use crate::said::Said;

/// Which of the own authority's CAs signed a certificate; each has its own revocation list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Issuer {
    /// The client CA: parties' certificates.
    Client,
    /// The operator CA: operators' certificates.
    Operator,
}

impl Issuer {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Client, Self::Operator];

    /// The CA that issues to this holder.
    pub fn of(holder: &Holder) -> Self {
        match holder {
            Holder::Party(_) => Self::Client,
            Holder::Operator { .. } => Self::Operator,
        }
    }

    /// `client` or `operator`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Operator => "operator",
        }
    }
}

/// A certificate to put on record.
#[derive(Clone, Debug)]
pub struct NewCertificate {
    /// Whose it is. A party must be on record.
    pub holder: Holder,
    /// What its holder calls it; without one, the first free of `cert-1`, `cert-2`, …
    pub label: Option<String>,
    /// Its DER.
    pub der: Vec<u8>,
    /// How it comes on record; an own one is of [the CA that issues to the holder](Issuer::of).
    pub origin: Origin,
    /// The issuance profile's name; empty for a pin.
    pub profile: String,
    /// Dated exceptions (pins only).
    pub exceptions: PinExceptions,
}

/// A certificate on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRow {
    /// SHA-256 of its DER.
    pub thumbprint: Thumbprint,
    /// What its holder calls it.
    pub label: String,
    /// Its serial number in lower-case hex, without a leading sign octet.
    pub serial: String,
    /// Its subject, RFC 4514.
    pub subject: String,
    /// Its issuer, RFC 4514.
    pub issuer: String,
    /// First second of validity, inclusive.
    pub not_before: UnixTime,
    /// Last second of validity, inclusive.
    pub not_after: UnixTime,
    /// How it came on record.
    pub origin: Origin,
    /// The issuance profile's name; empty for a pin.
    pub profile: String,
    /// Last second at which it is accepted beside its successor.
    pub superseded_after: Option<UnixTime>,
    /// When and why it was revoked.
    pub revoked: Option<Revoked>,
    /// Its DER.
    pub der: Vec<u8>,
    /// SHA-256 of its SubjectPublicKeyInfo.
    pub key_pin: KeyPin,
}

impl Registry {
    /// Puts a certificate on record.
    ///
    /// The same certificate of the same holder again only takes over the exceptions. `Err(Conflict)` if it is on record
    /// for another holder or revoked, or if the label is taken; `Err(NotFound)` without the party; `Err(KeyKnown)` if its
    /// key was compromised, or if it is issued here for a key that another holder has or had.
    pub async fn add_certificate(
        &self,
        new: NewCertificate,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<CertificateRow> {
        let certificate = Certificate::from_der(&new.der)
            .map_err(|error| RegistryError::Invalid { what: error.to_string() })?;
        let mut write = self.write(now).await?;
        if let Holder::Party(name) = &new.holder {
            parties::find(&mut write.tx, name).await?.ok_or_else(|| parties::unknown(name))?;
        }
        self.put(write, new, &certificate, actor, now).await
    }

    /// As [`Registry::add_certificate`], of a party that is put on record with it, by this identifier, where it is new:
    /// both are, or neither. `Err(Conflict)` where it is on record by another identifier.
    pub async fn add_first_certificate(
        &self,
        id: &str,
        new: NewCertificate,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<CertificateRow> {
        let certificate = Certificate::from_der(&new.der)
            .map_err(|error| RegistryError::Invalid { what: error.to_string() })?;
        let mut write = self.write(now).await?;
        if let Holder::Party(name) = &new.holder {
            match parties::find(&mut write.tx, name).await? {
                None => drop(write.add_party(name, id, actor, now).await?),
                Some(known) if known.id == id => {}
                Some(_) => {
                    return Err(RegistryError::conflict(format!("`{name}` was put on record meanwhile")));
                }
            }
        }
        self.put(write, new, &certificate, actor, now).await
    }

    /// Puts the certificate of a holder that is there on record, and commits.
    async fn put(
        &self,
        mut write: Write,
        new: NewCertificate,
        certificate: &Certificate,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<CertificateRow> {
        match find(&mut write.tx, &certificate.thumbprint).await? {
            None => {
                write.refuse_known_key(&new, &certificate.key_pin).await?;
                insert(&mut write.tx, &new, certificate).await?;
            }
            Some((_, record)) if record.holder != new.holder => {
                let (kind, name, _) = holder_columns(&record.holder);
                return Err(RegistryError::conflict(format!(
                    "the certificate is on record for {kind} `{name}`"
                )));
            }
            Some((_, CertificateRecord { revoked: Some(Revoked { at, .. }), .. })) => {
                return Err(RegistryError::conflict(format!("the certificate was revoked on {}", at.date())));
            }
            Some((row, record)) if record.exceptions == new.exceptions => return Ok(row),
            Some(_) => {
                sqlx::query(
                    "UPDATE certificates SET without_client_usage_until = ?2, ca_certificate_until = ?3
                     WHERE thumbprint = ?1",
                )
                .bind(&certificate.thumbprint.0[..])
                .bind(new.exceptions.without_client_usage_until.map(UnixTime::seconds))
                .bind(new.exceptions.ca_certificate_until.map(UnixTime::seconds))
                .execute(&mut *write.tx)
                .await?;
            }
        }
        let (row, record) = write.feed_certificate(&certificate.thumbprint).await?;
        let what = Said::CertificateAdded(&row.label);
        let event = AuditEvent::changed(actor, now, what).holder(&record.holder).thumbprint(&row.thumbprint);
        write.audit(event).await?;
        write.commit(self).await?;
        Ok(row)
    }

    /// A party's certificates, oldest record first.
    pub async fn certificates(&self, party: &PartyName) -> Result<Vec<CertificateRow>> {
        let rows = sqlx::query(
            "SELECT * FROM certificates WHERE holder_kind = 'party' AND holder = ?1 ORDER BY number",
        )
        .bind(party.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(certificate_row).collect()
    }

    /// A certificate and its holder.
    pub async fn find_certificate(
        &self,
        thumbprint: &Thumbprint,
    ) -> Result<Option<(Holder, CertificateRow)>> {
        let mut connection = self.readers.acquire().await?;
        Ok(find(&mut connection, thumbprint).await?.map(|(row, record)| (record.holder, row)))
    }

    /// The certificate with this serial number, its content octets, that one CA signed.
    pub async fn find_serial(&self, issuer: Issuer, serial: &[u8]) -> Result<Option<CertificateRow>> {
        let row = sqlx::query("SELECT * FROM certificates WHERE issued_by = ?1 AND serial = ?2")
            .bind(issuer.word())
            .bind(serial)
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(certificate_row).transpose()
    }

    /// The largest serial number, its content octets, that one CA gave out.
    pub async fn last_serial(&self, issuer: Issuer) -> Result<Option<Vec<u8>>> {
        let serial = sqlx::query_scalar("SELECT max(serial) FROM certificates WHERE issued_by = ?1")
            .bind(issuer.word())
            .fetch_one(&self.readers)
            .await?;
        Ok(serial)
    }

    /// The thumbprint of the certificate with this SHA-1, as Windows shows it; only for looking up.
    pub async fn find_sha1(&self, sha1: [u8; 20]) -> Result<Option<Thumbprint>> {
        let row = sqlx::query("SELECT thumbprint FROM certificates WHERE sha1 = ?1")
            .bind(sha1.to_vec())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(thumbprint).transpose()
    }

    /// Lets certificates be accepted until `after` (inclusive) and no longer. An earlier end stands.
    pub async fn supersede(
        &self,
        thumbprints: &[Thumbprint],
        after: UnixTime,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<()> {
        let mut write = self.write(now).await?;
        for thumbprint in thumbprints {
            write.supersede_one(thumbprint, after, actor, now).await?;
        }
        write.commit(self).await
    }
}

impl Write {
    /// Lets a certificate be accepted until `after` and no longer. An earlier end stands.
    pub(crate) async fn supersede_one(
        &mut self,
        thumbprint: &Thumbprint,
        after: UnixTime,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<()> {
        let done = sqlx::query(
            "UPDATE certificates SET superseded_after = min(ifnull(superseded_after, ?2), ?2)
             WHERE thumbprint = ?1",
        )
        .bind(&thumbprint.0[..])
        .bind(after.seconds())
        .execute(&mut *self.tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(RegistryError::not_found(format!("certificate {thumbprint}")));
        }
        let (row, record) = self.feed_certificate(thumbprint).await?;
        let what = format!("certificate `{}` superseded after {after}", row.label);
        let event = AuditEvent::changed(actor, now, &what).holder(&record.holder).thumbprint(thumbprint);
        self.audit(event).await
    }

    /// `Err(KeyKnown)` for a key that was compromised.
    pub(crate) async fn refuse_compromised(&mut self, pin: &KeyPin) -> Result<()> {
        let since: Option<i64> = sqlx::query_scalar("SELECT at FROM compromised_keys WHERE key_pin = ?1")
            .bind(&pin.0[..])
            .fetch_optional(&mut *self.tx)
            .await?;
        since.map_or(Ok(()), |at| {
            let date = UnixTime(at).date();
            Err(RegistryError::key_known(format!("the key was revoked as compromised on {date}")))
        })
    }

    /// `Err(KeyKnown)` for compromised keys, and for those of others where the certificate is issued here.
    pub(crate) async fn refuse_known_key(&mut self, new: &NewCertificate, pin: &KeyPin) -> Result<()> {
        self.refuse_compromised(pin).await?;
        if new.origin == Origin::Pinned {
            return Ok(());
        }
        let (kind, name, _) = holder_columns(&new.holder);
        let other: Option<(String, String)> = sqlx::query_as(
            "SELECT holder_kind, holder FROM certificates
             WHERE key_pin = ?1 AND (holder_kind, holder) <> (?2, ?3)
             UNION ALL SELECT 'party', party FROM keys WHERE key_pin = ?1 AND ('party', party) <> (?2, ?3) LIMIT 1",
        )
        .bind(&pin.0[..])
        .bind(kind)
        .bind(name.as_str())
        .fetch_optional(&mut *self.tx)
        .await?;
        other.map_or(Ok(()), |(kind, name)| {
            Err(RegistryError::key_known(format!("the key is one of {kind} `{name}`")))
        })
    }

    /// Feeds the certificate as its row now is.
    pub(crate) async fn feed_certificate(
        &mut self,
        thumbprint: &Thumbprint,
    ) -> Result<(CertificateRow, CertificateRecord)> {
        let (row, record) = find(&mut self.tx, thumbprint)
            .await?
            .ok_or_else(|| damaged(format!("certificate {thumbprint} vanished")))?;
        self.feed(&RecordChange::Certificate(*thumbprint, record.clone())).await?;
        Ok((row, record))
    }
}

pub(crate) async fn insert(
    tx: &mut SqliteConnection,
    new: &NewCertificate,
    certificate: &Certificate,
) -> Result<()> {
    let (kind, name, role) = holder_columns(&new.holder);
    let taken: Vec<String> =
        sqlx::query_scalar("SELECT label FROM certificates WHERE holder_kind = ?1 AND holder = ?2")
            .bind(kind)
            .bind(name.as_str())
            .fetch_all(&mut *tx)
            .await?;
    let label = choose_label(new.label.as_deref(), "cert", &taken)?;
    sqlx::query(
        "INSERT INTO certificates (thumbprint, sha1, holder_kind, holder, role, label, origin, profile, key_pin,
             serial, subject, issuer, not_before, not_after, without_client_usage_until, ca_certificate_until, der,
             issued_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )
    .bind(&certificate.thumbprint.0[..])
    .bind(hash(&SHA1_FOR_LEGACY_USE_ONLY, &new.der).as_ref().to_vec())
    .bind(kind)
    .bind(name.as_str())
    .bind(role)
    .bind(label)
    .bind(match new.origin {
        Origin::Pinned => "pinned",
        Origin::Own => "own",
    })
    .bind(&new.profile)
    .bind(&certificate.key_pin.0[..])
    .bind(certificate.serial.to_vec())
    .bind(certificate.subject.to_string())
    .bind(certificate.issuer.to_string())
    .bind(certificate.not_before.seconds())
    .bind(certificate.not_after.seconds())
    .bind(new.exceptions.without_client_usage_until.map(UnixTime::seconds))
    .bind(new.exceptions.ca_certificate_until.map(UnixTime::seconds))
    .bind(&new.der)
    .bind((new.origin == Origin::Own).then(|| Issuer::of(&new.holder).word()))
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// The label asked for, if free; else the first free of `stem-1`, `stem-2`, …
pub(crate) fn choose_label(asked: Option<&str>, stem: &str, taken: &[String]) -> Result<String> {
    match asked {
        Some(label) if taken.iter().any(|other| other == label) => {
            Err(RegistryError::conflict(format!("the label `{label}` is taken")))
        }
        Some(label) => Ok(label.to_owned()),
        None => {
            let free = (1u64..).map(|i| format!("{stem}-{i}")).find(|label| !taken.contains(label));
            free.ok_or_else(|| RegistryError::conflict("no label is free"))
        }
    }
}

pub(crate) async fn find(
    tx: &mut SqliteConnection,
    thumbprint: &Thumbprint,
) -> Result<Option<(CertificateRow, CertificateRecord)>> {
    let row = sqlx::query("SELECT * FROM certificates WHERE thumbprint = ?1")
        .bind(&thumbprint.0[..])
        .fetch_optional(tx)
        .await?;
    row.map(|row| Ok((certificate_row(&row)?, record(&row)?.1))).transpose()
}

pub(crate) fn record(row: &SqliteRow) -> Result<(Thumbprint, CertificateRecord)> {
    let record = CertificateRecord {
        holder: holder(row)?,
        label: row.try_get("label")?,
        origin: origin(row)?,
        key_pin: key_pin(row)?,
        superseded_after: maybe_time(row, "superseded_after")?,
        revoked: revoked(row)?,
        exceptions: exceptions(row)?,
    };
    Ok((thumbprint(row)?, record))
}

pub(crate) fn certificate_row(row: &SqliteRow) -> Result<CertificateRow> {
    let serial: Vec<u8> = row.try_get("serial")?;
    let shown = match serial.as_slice() {
        [0, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    Ok(CertificateRow {
        thumbprint: thumbprint(row)?,
        label: row.try_get("label")?,
        serial: hex(shown),
        subject: row.try_get("subject")?,
        issuer: row.try_get("issuer")?,
        not_before: time(row, "not_before")?,
        not_after: time(row, "not_after")?,
        origin: origin(row)?,
        profile: row.try_get("profile")?,
        superseded_after: maybe_time(row, "superseded_after")?,
        revoked: revoked(row)?,
        der: row.try_get("der")?,
        key_pin: key_pin(row)?,
    })
}

fn origin(row: &SqliteRow) -> Result<Origin> {
    match row.try_get("origin")? {
        "pinned" => Ok(Origin::Pinned),
        "own" => Ok(Origin::Own),
        other => Err(damaged(format!("`{other}` is no origin"))),
    }
}

pub(crate) fn holder(row: &SqliteRow) -> Result<Holder> {
    let name = party(row, "holder")?;
    if row.try_get::<&str, _>("holder_kind")? == "party" {
        return Ok(Holder::Party(name));
    }
    let role = match row.try_get::<Option<&str>, _>("role")? {
        Some("viewer") => OperatorRole::Viewer,
        Some("operator") => OperatorRole::Operator,
        Some("owner") => OperatorRole::Owner,
        _ => return Err(damaged(format!("operator `{name}` has no role"))),
    };
    Ok(Holder::Operator { name, role })
}

fn holder_columns(holder: &Holder) -> (&'static str, &PartyName, Option<&'static str>) {
    match holder {
        Holder::Party(name) => ("party", name, None),
        Holder::Operator { name, role } => {
            let role = match role {
                OperatorRole::Viewer => "viewer",
                OperatorRole::Operator => "operator",
                OperatorRole::Owner => "owner",
            };
            ("operator", name, Some(role))
        }
    }
}
