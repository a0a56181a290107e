//! The one write path, and what it feeds: changes by number, and the whole state to begin from.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::digest;
use examiner::{KeyPin, UnixTime};
use policy::record::{KeyRecord, Party, SubjectRule};
use policy::{RecordChange, Records, RecordsBuilder};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, SqliteConnection, Transaction};
use tokio_stream::StreamExt;

use crate::audit::{AuditEvent, Head, append};
use crate::error::Result;
use crate::heads::HowOften;
use crate::open::Registry;
use crate::rows::{damaged, hex, host, key_pin, maybe_time, party, time};
use crate::settings::{StoredCa, StoredSite};
use crate::{certificates, keys, many, settings};

/// The writer under which the registry records its own changes.
pub(crate) const WRITER: &str = "registry";

/// Everything at one moment.
#[derive(Clone, Debug)]
pub struct State {
    /// The database's incarnation.
    pub epoch: String,
    /// Number of the last change in it.
    pub seq: i64,
    /// What tells that change from another of the same number; none before the first, or where nobody knows.
    pub mark: Option<Mark>,
    /// What admission needs.
    pub records: Records,
    /// Sites kept in the registry.
    pub sites: Vec<StoredSite>,
    /// CAs kept in the registry.
    pub cas: Vec<StoredCa>,
}

/// One change by its number; numbers have no gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEntry {
    /// Its number.
    pub seq: i64,
    /// When it was made.
    pub at: UnixTime,
    /// What tells it from another of the same number.
    pub mark: Mark,
    /// What is now so.
    pub change: RecordChange,
}

/// SHA-256 of a change as it stands in the feed, 64 lower-case hexadecimal digits.
///
/// A database that went on from a copy gives out numbers anew. Who knows the mark of the last change that it has seen
/// finds out whether the changes after that number are those that follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(pub String);

impl Mark {
    fn of(row: &SqliteRow) -> Result<Self> {
        let mut hash = digest::Context::new(&digest::SHA256);
        for number in ["seq", "at"] {
            hash.update(&row.try_get::<i64, _>(number)?.to_be_bytes());
        }
        hash.update(row.try_get::<&str, _>("payload")?.as_bytes());
        Ok(Self(hex(hash.finish().as_ref())))
    }

    /// The mark of the change of this number; none where it is not kept.
    async fn at(tx: &mut SqliteConnection, seq: i64) -> Result<Option<Self>> {
        let row = sqlx::query("SELECT seq, at, payload FROM changes WHERE seq = ?1").bind(seq);
        row.fetch_optional(tx).await?.as_ref().map(Self::of).transpose()
    }
}

/// What a reader of the feed gets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Feed {
    /// The changes after its last number, in order; none if nothing happened.
    Changes(Vec<FeedEntry>),
    /// The changes alone do not lead from where it is to what holds: it must [load](Registry::load) everything.
    Reload(Gap),
}

/// Why changes alone are not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The reader's last number is older than what is kept.
    Pruned,
    /// The reader has seen numbers that the database has not given out: the database was restored from a copy. What
    /// the reader knows to be denied may be missing there.
    Ahead,
    /// The database is of another epoch than the reader's. What the reader knows to be denied may be missing there.
    OtherEpoch,
}

/// Who is behind by more changes than this reads everything, which is quicker then.
const CAUGHT_UP_MOST: i64 = 100_000;

/// How long changes are kept for readers that were away, in seconds: 7 days.
const KEPT_SECONDS: i64 = 7 * 86_400;

/// A change under way: rows, feed and audit in one transaction. Dropped without `commit`, nothing happened.
pub(crate) struct Write {
    pub(crate) tx: Transaction<'static, Sqlite>,
    now: UnixTime,
    head: Option<Head>,
    /// Epoch and number of the last change fed.
    fed: Option<(String, i64)>,
}

impl Write {
    /// Adds a change to the feed.
    pub(crate) async fn feed(&mut self, change: &RecordChange) -> Result<()> {
        self.feed_numbered(change).await.map(drop)
    }

    /// Adds a change to the feed; its number.
    pub(crate) async fn feed_numbered(&mut self, change: &RecordChange) -> Result<i64> {
        let (epoch, seq): (String, i64) =
            sqlx::query_as("UPDATE meta SET seq = seq + 1 RETURNING epoch, seq")
                .fetch_one(&mut *self.tx)
                .await?;
        sqlx::query("INSERT INTO changes (seq, at, kind, payload) VALUES (?1, ?2, ?3, ?4)")
            .bind(seq)
            .bind(self.now.seconds())
            .bind(kind(change))
            .bind(serde_json::to_string(change).map_err(damaged)?)
            .execute(&mut *self.tx)
            .await?;
        self.fed = Some((epoch, seq));
        Ok(seq)
    }

    /// Adds an entry to the audit.
    pub(crate) async fn audit(&mut self, event: AuditEvent) -> Result<()> {
        self.head = append(&mut self.tx, WRITER, std::slice::from_ref(&event)).await?;
        Ok(())
    }

    /// Makes it so.
    pub(crate) async fn commit(self, registry: &Registry) -> Result<()> {
        self.tx.commit().await?;
        if let Some(head) = self.head {
            registry.heads.note(WRITER, &head, self.now, HowOften::Always);
        }
        if let Some((epoch, seq)) = self.fed {
            registry.epoch_file.note(&epoch, seq);
        }
        Ok(())
    }
}

impl Registry {
    pub(crate) async fn write(&self, now: UnixTime) -> Result<Write> {
        let tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Write { tx, now, head: None, fed: None })
    }

    /// The whole state and the number of its last change, from one read transaction.
    pub async fn load(&self) -> Result<State> {
        let mut tx = self.readers.begin().await?;
        let (epoch, seq) = sqlx::query_as("SELECT epoch, seq FROM meta").fetch_one(&mut *tx).await?;
        let mark = Mark::at(&mut tx, seq).await?;
        let records = records(&mut tx).await?;
        let sites = settings::stored_sites(&mut tx).await?;
        let cas = settings::stored_cas(&mut tx).await?;
        Ok(State { epoch, seq, mark, records, sites, cas })
    }

    /// What [`load`](Self::load) gives, made of an earlier state and the changes since: for a million parties a matter of
    /// milliseconds.
    ///
    /// None where the changes do not lead from there to what holds: another epoch, a number that was not given out yet,
    /// a change of that number that is another one, changes that are kept no longer, or too many of them.
    pub async fn catch_up(&self, from: State) -> Result<Option<State>> {
        let mut tx = self.readers.begin().await?;
        let (epoch, seq): (String, i64) =
            sqlx::query_as("SELECT epoch, seq FROM meta").fetch_one(&mut *tx).await?;
        if epoch != from.epoch
            || from.mark.is_none()
            || !(0..CAUGHT_UP_MOST).contains(&seq.saturating_sub(from.seq))
        {
            return Ok(None);
        }
        if Mark::at(&mut tx, from.seq).await? != from.mark {
            return Ok(None);
        }
        let State { mut mark, mut records, .. } = from;
        for entry in entries(&mut tx, from.seq).await? {
            records.apply(entry.change);
            mark = Some(entry.mark);
        }
        let sites = settings::stored_sites(&mut tx).await?;
        let cas = settings::stored_cas(&mut tx).await?;
        Ok(Some(State { epoch, seq, mark, records, sites, cas }))
    }

    /// The changes after `seq`, for a reader that [loaded](Self::load) its state from this epoch.
    pub async fn changes_since(&self, epoch: &str, seq: i64) -> Result<Feed> {
        let mut tx = self.readers.begin().await?;
        let (found, last, oldest): (String, i64, i64) =
            sqlx::query_as("SELECT epoch, seq, ifnull((SELECT min(seq) FROM changes), seq + 1) FROM meta")
                .fetch_one(&mut *tx)
                .await?;
        if found != epoch {
            return Ok(Feed::Reload(Gap::OtherEpoch));
        }
        if seq > last {
            return Ok(Feed::Reload(Gap::Ahead));
        }
        if seq < oldest - 1 {
            return Ok(Feed::Reload(Gap::Pruned));
        }
        Ok(Feed::Changes(entries(&mut tx, seq).await?))
    }

    /// Deletes the changes older than seven days, from the oldest on without a gap, and tells how many. To be called
    /// now and then, such as each hour; the last change always stays.
    pub async fn prune(&self, now: UnixTime) -> Result<u64> {
        let done = sqlx::query(
            "DELETE FROM changes WHERE seq < ifnull((SELECT min(seq) FROM changes WHERE at >= ?1),
                 (SELECT max(seq) FROM changes))",
        )
        .bind(now.plus(-KEPT_SECONDS).seconds())
        .execute(&self.writer)
        .await?;
        Ok(done.rows_affected())
    }

    /// The number of the last change; 0 before the first.
    pub async fn last_seq(&self) -> Result<i64> {
        Ok(sqlx::query_scalar("SELECT seq FROM meta").fetch_one(&self.readers).await?)
    }
}

/// The changes after `seq`, in order.
async fn entries(tx: &mut SqliteConnection, seq: i64) -> Result<Vec<FeedEntry>> {
    let rows = sqlx::query("SELECT seq, at, payload FROM changes WHERE seq > ?1 ORDER BY seq")
        .bind(seq)
        .fetch_all(&mut *tx)
        .await?;
    let mut entries = Vec::with_capacity(rows.len());
    for row in &rows {
        let seq = row.try_get("seq")?;
        let mut change = serde_json::from_str(row.try_get("payload")?).map_err(damaged)?;
        if let RecordChange::Revocations(all) = &mut change {
            *all = many::revocations(&mut *tx, seq).await?;
        }
        entries.push(FeedEntry { seq, at: time(row, "at")?, mark: Mark::of(row)?, change });
    }
    Ok(entries)
}

async fn records(tx: &mut SqliteConnection) -> Result<Records> {
    let count = |table: &'static str| sqlx::query_scalar::<_, i64>(table);
    let parties = count("SELECT count(*) FROM parties").fetch_one(&mut *tx).await?;
    let certificates = count("SELECT count(*) FROM certificates").fetch_one(&mut *tx).await?;
    let mut records = RecordsBuilder::with_capacity(parties as usize, certificates as usize);
    // Row by row: with a million of them, all rows together would take some kilobytes each.
    let mut rows = sqlx::query(
        "SELECT name, id, suspended_since, site FROM parties LEFT JOIN grants ON party = name ORDER BY name",
    )
    .fetch(&mut *tx);
    let mut last: Option<Party> = None;
    while let Some(row) = rows.next().await.transpose()? {
        let name = party(&row, "name")?;
        if last.as_ref().is_none_or(|last| last.name != name) {
            let suspended_since = maybe_time(&row, "suspended_since")?;
            let id = row.try_get("id")?;
            let next = Party { name, id, suspended_since, grants: Default::default() };
            last.replace(next).into_iter().for_each(|party| records.add(RecordChange::Party(party)));
        }
        if let (Some(last), Some(_)) = (&mut last, row.try_get::<Option<&str>, _>("site")?) {
            last.grants.insert(host(&row, "site")?);
        }
    }
    drop(rows);
    last.into_iter().for_each(|party| records.add(RecordChange::Party(party)));
    let mut rows = sqlx::query(
        "SELECT thumbprint, holder_kind, holder, role, label, origin, key_pin, superseded_after, revoked_at,
             revoked_reason, without_client_usage_until, ca_certificate_until
         FROM certificates ORDER BY number",
    )
    .fetch(&mut *tx);
    while let Some(row) = rows.next().await.transpose()? {
        let (thumbprint, record) = certificates::record(&row)?;
        records.add(RecordChange::Certificate(thumbprint, record));
    }
    drop(rows);
    let mut records = records.finish();
    let mut by_key: BTreeMap<KeyPin, Vec<KeyRecord>> = BTreeMap::new();
    let mut rows = sqlx::query("SELECT * FROM keys ORDER BY number").fetch(&mut *tx);
    while let Some(row) = rows.next().await.transpose()? {
        by_key.entry(key_pin(&row)?).or_default().push(keys::record(&row)?);
    }
    drop(rows);
    for (pin, list) in by_key {
        records.keys.insert(pin, Arc::new(list));
    }
    let mut rows = sqlx::query("SELECT ca, subject, party FROM subjects").fetch(&mut *tx);
    while let Some(row) = rows.next().await.transpose()? {
        let rule = SubjectRule { ca: row.try_get("ca")?, subject: crate::rows::digest(&row, "subject")? };
        records.subjects.insert(rule, party(&row, "party")?);
    }
    drop(rows);
    for row in sqlx::query("SELECT site, ca FROM ca_grants").fetch_all(&mut *tx).await? {
        records.ca_grants.entry(host(&row, "site")?).or_default().insert(row.try_get("ca")?);
    }
    for row in sqlx::query("SELECT key_pin FROM compromised_keys").fetch_all(&mut *tx).await? {
        records.compromised_keys.insert(key_pin(&row)?);
    }
    records.merge();
    Ok(records)
}

fn kind(change: &RecordChange) -> &'static str {
    match change {
        RecordChange::Party(_) => "party",
        RecordChange::PartyRemoved(_) => "party_removed",
        RecordChange::Certificate(..) => "certificate",
        RecordChange::CertificateRemoved(_) => "certificate_removed",
        RecordChange::Key(..) => "key",
        RecordChange::Subject(..) => "subject",
        RecordChange::CaGrants(..) => "ca_grants",
        RecordChange::CompromisedKey(..) => "compromised_key",
        RecordChange::Revocations(_) => "revocations",
        RecordChange::Settings => "settings",
    }
}
