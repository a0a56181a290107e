//! What a command looks up: single things and pages by an index, however many parties there are.

use std::collections::BTreeSet;

use examiner::{Certificate, Thumbprint, UnixTime};
use policy::record::{Party, PinExceptions, SubjectRule};
use policy::{Holder, HostName, PartyName, RecordChange, Records};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use tokio_stream::StreamExt;

use crate::certificates::CertificateRow;
use crate::error::Result;
use crate::open::Registry;
use crate::parties::{self, PartyRow};
use crate::rows::{damaged, exceptions, host, key_pin, maybe_time, party, thumbprint, time};
use crate::settings::{StoredCa, StoredSite};
use crate::{certificates, keys, settings};

/// Parties by name after ?1, at most ?2 (all: -1), that fulfil a condition as well.
macro_rules! entries {
    ($condition:literal) => {
        concat!(
            "SELECT name, id, created_at, suspended_since,
                 (SELECT max(not_after) FROM certificates
                  WHERE holder_kind = 'party' AND holder = name AND revoked_at IS NULL) AS last_end,
                 (SELECT group_concat(site, ' ') FROM grants WHERE party = name) AS sites,
                 EXISTS (SELECT 1 FROM keys WHERE party = name AND revoked_at IS NULL)
                     OR EXISTS (SELECT 1 FROM subjects WHERE party = name) AS other
             FROM parties WHERE name > ?1 AND (?5 IS NULL OR instr(name, ?5) > 0) ",
            $condition,
            " ORDER BY name LIMIT ?2"
        )
    };
}

/// Names that are compared with one that is not known.
const NEAR_MOST: i64 = 20_000;

/// What settings are made of, at one moment: a [`State`](crate::State) without parties and certificates.
#[derive(Clone, Debug)]
pub struct Basis {
    /// The database's incarnation.
    pub epoch: String,
    /// Number of the last change in it.
    pub seq: i64,
    /// Sites kept in the registry.
    pub sites: Vec<StoredSite>,
    /// CAs kept in the registry.
    pub cas: Vec<StoredCa>,
    /// The sites that some party or CA has been granted.
    pub granted: BTreeSet<HostName>,
}

/// A party as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyEntry {
    /// The party.
    pub party: PartyRow,
    /// When the last of its certificates ends that are not revoked.
    pub last_end: Option<UnixTime>,
    /// Whether it has a key pin that is not revoked, or a subject rule.
    pub has_other_way: bool,
}

/// Which parties a list shows.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Only those whose names come after this one.
    pub after: Option<PartyName>,
    /// At most so many.
    pub limit: Option<u32>,
    /// Only those whose names contain this.
    pub containing: Option<String>,
    /// Only those whose last certificate that is not revoked ends within these times, inclusive.
    pub ends_within: Option<(UnixTime, UnixTime)>,
}

impl Registry {
    /// What settings are made of.
    pub async fn basis(&self) -> Result<Basis> {
        let mut tx = self.readers.begin().await?;
        let (epoch, seq) = sqlx::query_as("SELECT epoch, seq FROM meta").fetch_one(&mut *tx).await?;
        let sites = settings::stored_sites(&mut tx).await?;
        let cas = settings::stored_cas(&mut tx).await?;
        let granted = granted(&mut tx).await?;
        Ok(Basis { epoch, seq, sites, cas, granted })
    }

    /// The records that a decision about this certificate looks at; all others are missing. `cas`: the CAs whose
    /// subject rules can lead to a party.
    pub async fn records_about<'a>(
        &self,
        certificate: Option<&Certificate>,
        cas: impl Iterator<Item = &'a str>,
    ) -> Result<Records> {
        let mut tx = self.readers.begin().await?;
        let mut records = Records::default();
        let mut grants = sqlx::query("SELECT site, ca FROM ca_grants").fetch(&mut *tx);
        while let Some(row) = grants.next().await.transpose()? {
            records.ca_grants.entry(host(&row, "site")?).or_default().insert(row.try_get("ca")?);
        }
        drop(grants);
        let Some(certificate) = certificate else { return Ok(records) };
        let pin = &certificate.key_pin;
        // One of the pinned with its key is enough to tell a renewed certificate from a stranger's.
        let rows = sqlx::query(
            "SELECT * FROM certificates WHERE thumbprint = ?1
             UNION ALL SELECT * FROM (SELECT * FROM certificates WHERE key_pin = ?2 AND origin = 'pinned' LIMIT 1)",
        )
        .bind(&certificate.thumbprint.0[..])
        .bind(&pin.0[..])
        .fetch_all(&mut *tx)
        .await?;
        let mut names = BTreeSet::new();
        for row in &rows {
            let (thumbprint, record) = certificates::record(row)?;
            if let Holder::Party(name) = &record.holder {
                names.insert(name.clone());
            }
            records.apply(RecordChange::Certificate(thumbprint, record));
        }
        let rows = sqlx::query("SELECT * FROM keys WHERE key_pin = ?1 ORDER BY number")
            .bind(&pin.0[..])
            .fetch_all(&mut *tx)
            .await?;
        let pins = rows.iter().map(keys::record).collect::<Result<Vec<_>>>()?;
        names.extend(pins.iter().map(|pin| pin.party.clone()));
        if !pins.is_empty() {
            records.apply(RecordChange::Key(*pin, pins));
        }
        if let Some(subject) = certificate.subject.key() {
            for ca in cas {
                let row = sqlx::query("SELECT party FROM subjects WHERE ca = ?1 AND subject = ?2")
                    .bind(ca)
                    .bind(&subject.0[..])
                    .fetch_optional(&mut *tx)
                    .await?;
                let Some(row) = row else { continue };
                let party = party(&row, "party")?;
                names.insert(party.clone());
                let rule = SubjectRule { ca: ca.to_owned(), subject: subject.0 };
                records.apply(RecordChange::Subject(rule, Some(party)));
            }
        }
        let compromised = sqlx::query("SELECT key_pin FROM compromised_keys WHERE key_pin = ?1")
            .bind(&pin.0[..])
            .fetch_optional(&mut *tx)
            .await?;
        if let Some(row) = compromised {
            records.apply(RecordChange::CompromisedKey(key_pin(&row)?, true));
        }
        for name in names {
            let Some(PartyRow { name, id, suspended_since, grants, .. }) =
                parties::find(&mut tx, &name).await?
            else {
                continue;
            };
            let grants = grants.into_iter().collect();
            records.apply(RecordChange::Party(Party { name, id, suspended_since, grants }));
        }
        Ok(records)
    }

    /// Saved certificates of parties, not revoked, that say they are from one of these issuers (RFC 4514), at most so many.
    pub async fn pinned_from(
        &self,
        issuers: &BTreeSet<String>,
        most: u32,
    ) -> Result<Vec<(PartyName, CertificateRow)>> {
        let issuers = serde_json::to_string(issuers).map_err(damaged)?;
        let rows = sqlx::query(
            "SELECT * FROM certificates WHERE origin = 'pinned' AND issuer IN (SELECT value FROM json_each(?1))
                 AND holder_kind = 'party' AND revoked_at IS NULL
             ORDER BY number LIMIT ?2",
        )
        .bind(issuers)
        .bind(most)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((party(row, "holder")?, certificates::certificate_row(row)?))).collect()
    }

    /// Parties by name.
    pub async fn party_page(&self, page: &Page) -> Result<Vec<PartyEntry>> {
        let mut query = sqlx::query(page_sql(page.ends_within.is_some()))
            .bind(page.after.as_ref().map_or("", PartyName::as_str))
            .bind(page.limit.map_or(-1, i64::from));
        let ends = page.ends_within;
        query = query
            .bind(ends.map(|(from, _)| from.seconds()))
            .bind(ends.map(|(_, to)| to.seconds()))
            .bind(&page.containing);
        let mut connection = self.readers.acquire().await?;
        let mut rows = query.fetch(&mut *connection);
        let mut entries = Vec::new();
        while let Some(row) = rows.next().await.transpose()? {
            entries.push(entry(&row)?);
        }
        Ok(entries)
    }

    /// How many parties there are.
    pub async fn count_parties(&self) -> Result<u64> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM parties").fetch_one(&self.readers).await?;
        Ok(count.unsigned_abs())
    }

    /// Names that this one could be meant for: where there are many parties, those that begin with the same letter.
    pub async fn names_near(&self, name: &PartyName) -> Result<Vec<PartyName>> {
        let first = &name.as_str()[..1];
        let rows = sqlx::query(
            "SELECT name FROM (SELECT name FROM parties LIMIT ?2)
             UNION SELECT name FROM (SELECT name FROM parties WHERE name >= ?1 AND name < ?1 || '~' LIMIT ?2)",
        )
        .bind(first)
        .bind(NEAR_MOST)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| party(row, "name")).collect()
    }

    /// Who has been granted a site: parties by name, and CAs.
    pub async fn granted_to(&self, site: &HostName) -> Result<(Vec<PartyName>, Vec<String>)> {
        let mut tx = self.readers.begin().await?;
        let rows = sqlx::query("SELECT party FROM grants WHERE site = ?1 ORDER BY party")
            .bind(site.as_str())
            .fetch_all(&mut *tx)
            .await?;
        let cas = sqlx::query_scalar("SELECT ca FROM ca_grants WHERE site = ?1 ORDER BY ca")
            .bind(site.as_str())
            .fetch_all(&mut *tx)
            .await?;
        Ok((rows.iter().map(|row| party(row, "party")).collect::<Result<_>>()?, cas))
    }

    /// The certificates that something is excused of, and until when.
    pub async fn excused(&self) -> Result<Vec<(Thumbprint, PinExceptions)>> {
        let rows = sqlx::query(
            "SELECT thumbprint, without_client_usage_until, ca_certificate_until FROM certificates
             WHERE ifnull(without_client_usage_until, ca_certificate_until) IS NOT NULL ORDER BY number",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((thumbprint(row)?, exceptions(row)?))).collect()
    }

    /// Those of these parties that have a key pin which is not revoked, or a subject rule.
    pub async fn with_other_ways(&self, names: &BTreeSet<&PartyName>) -> Result<BTreeSet<PartyName>> {
        let rows = sqlx::query(
            "SELECT value AS party FROM json_each(?1)
             WHERE EXISTS (SELECT 1 FROM keys WHERE keys.party = value AND revoked_at IS NULL)
                 OR EXISTS (SELECT 1 FROM subjects WHERE subjects.party = value)",
        )
        .bind(serde_json::to_string(names).map_err(damaged)?)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| party(row, "party")).collect()
    }
}

/// A page of parties: by name, or only those whose certificates end within some time.
pub(crate) fn page_sql(ends_within: bool) -> &'static str {
    if ends_within {
        // Who could end then is found by an index; who does, by all that they have.
        entries!(
            "AND name IN (SELECT holder FROM certificates
                 WHERE holder_kind = 'party' AND revoked_at IS NULL AND not_after BETWEEN ?3 AND ?4)
             AND last_end BETWEEN ?3 AND ?4"
        )
    } else {
        entries!("")
    }
}

/// The granted sites: from one to the next by the index, not through all grants.
async fn granted(tx: &mut SqliteConnection) -> Result<BTreeSet<HostName>> {
    let rows = sqlx::query(
        "WITH RECURSIVE next (site) AS (
             SELECT min(site) FROM grants
             UNION ALL SELECT (SELECT min(site) FROM grants WHERE grants.site > next.site) FROM next
                 WHERE next.site IS NOT NULL)
         SELECT site FROM next WHERE site IS NOT NULL UNION SELECT site FROM ca_grants",
    )
    .fetch_all(tx)
    .await?;
    rows.iter().map(|row| host(row, "site")).collect()
}

fn entry(row: &SqliteRow) -> Result<PartyEntry> {
    let sites: Option<&str> = row.try_get("sites")?;
    let grants = sites.into_iter().flat_map(str::split_ascii_whitespace);
    let mut grants = grants.map(|site| HostName::parse(site).map_err(damaged)).collect::<Result<Vec<_>>>()?;
    grants.sort();
    Ok(PartyEntry {
        party: PartyRow {
            name: party(row, "name")?,
            id: row.try_get("id")?,
            created_at: time(row, "created_at")?,
            suspended_since: maybe_time(row, "suspended_since")?,
            grants,
        },
        last_end: maybe_time(row, "last_end")?,
        has_other_way: row.try_get("other")?,
    })
}
