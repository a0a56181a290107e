//! What happened: append-only, one hash chain for each writer.
//!
//! An entry's hash is SHA-256 over the hash before it (32 zero octets before the first) and the entry's JSON as stored.
//! The newest hash of each writer, its head, is kept in a table and, signed, in the file `audit-heads` beside the
//! database.

use std::sync::LazyLock;

use examiner::{Thumbprint, UnixTime};
use policy::{Holder, HostName, PartyName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::{Row, SqliteConnection};

use crate::error::{RegistryError, Result};
use crate::heads::HowOften;
use crate::open::{Actor, Registry};
use crate::rows::{damaged, digest, time};
use crate::search;

/// Something that happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// When.
    pub time: UnixTime,
    /// The site concerned.
    pub site: Option<String>,
    /// The party or operator concerned.
    pub party: Option<String>,
    /// The certificate's thumbprint, hex.
    pub thumbprint: Option<String>,
    /// Where from.
    pub address: Option<String>,
    /// `admitted`, `refused`, `observed` or `changed`.
    pub verdict: String,
    /// The refusal's code.
    pub code: Option<String>,
    /// The rule that decided.
    pub rule: Option<String>,
    /// The reference the visitor was shown.
    pub reference: Option<String>,
    /// More, in words; for a change what was changed and by whom.
    pub detail: Option<String>,
    /// How many equal events this stands for.
    pub count: u32,
}

impl AuditEvent {
    pub(crate) fn changed(actor: &Actor, now: UnixTime, what: impl std::fmt::Display) -> Self {
        let detail = Some(format!("{what}; by {}", actor.name));
        Self { time: now, verdict: "changed".into(), detail, count: 1, ..Self::default() }
    }

    pub(crate) fn party(mut self, name: &PartyName) -> Self {
        self.party = Some(name.to_string());
        self
    }

    pub(crate) fn holder(self, holder: &Holder) -> Self {
        match holder {
            Holder::Party(name) | Holder::Operator { name, .. } => self.party(name),
        }
    }

    pub(crate) fn site(mut self, site: &HostName) -> Self {
        self.site = Some(site.to_string());
        self
    }

    pub(crate) fn thumbprint(mut self, thumbprint: &Thumbprint) -> Self {
        self.thumbprint = Some(thumbprint.to_string());
        self
    }
}

/// Which entries to find; what is `None` fits all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditFilter {
    /// At this site.
    pub site: Option<String>,
    /// Of this party or operator.
    pub party: Option<String>,
    /// With this code.
    pub code: Option<String>,
    /// With this verdict.
    pub verdict: Option<String>,
    /// With this reference.
    pub reference: Option<String>,
    /// Not before.
    pub since: Option<UnixTime>,
    /// Not after.
    pub until: Option<UnixTime>,
    /// Not the admissions at this site.
    pub not_admitted_at: Option<String>,
    /// At most so many: the newest, or the next ones where `after_id` is given.
    pub limit: Option<u32>,
    /// Only entries after this one.
    pub after_id: Option<i64>,
    /// Only entries before this one.
    pub before_id: Option<i64>,
}

/// Refusals of one code in one stretch of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusalCount {
    /// When the stretch begins.
    pub from: UnixTime,
    /// The code.
    pub code: String,
    /// How many.
    pub count: u64,
}

/// An entry as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditRow {
    /// Its number in the store.
    pub id: i64,
    /// Who wrote it.
    pub writer: String,
    /// What happened.
    #[serde(flatten)]
    pub event: AuditEvent,
}

impl Registry {
    /// Appends entries to a writer's chain, all or none. `Err(Invalid)` if the name holds a control character.
    pub async fn append_audit(&self, writer: &str, events: &[AuditEvent]) -> Result<()> {
        // The heads' file has one line a head.
        if writer.chars().any(char::is_control) {
            return Err(RegistryError::Invalid { what: "a writer's name holds a control character".into() });
        }
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let head = append(&mut tx, writer, events).await?;
        tx.commit().await?;
        if let (Some(head), Some(last)) = (head, events.last()) {
            self.heads.note(writer, &head, last.time, HowOften::EachMinute);
        }
        Ok(())
    }

    /// The entries that fit, oldest first.
    pub async fn search_audit(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>> {
        let newest_first = filter.after_id.is_none();
        let mut tx = self.readers.begin().await?;
        let mut found = search::entries(&mut tx, filter)
            .await?
            .iter()
            .map(|row| {
                let event = serde_json::from_str(row.try_get("entry")?).map_err(damaged)?;
                Ok(AuditRow { id: row.try_get("id")?, writer: row.try_get("writer")?, event })
            })
            .collect::<Result<Vec<_>>>()?;
        if newest_first {
            found.reverse();
        }
        Ok(found)
    }

    /// The number of the newest entry; 0 where there is none.
    pub async fn last_audit_id(&self) -> Result<i64> {
        let last: Option<i64> =
            sqlx::query_scalar("SELECT max(id) FROM audit").fetch_one(&self.readers).await?;
        Ok(last.unwrap_or(0))
    }

    /// The refusals from `since` on, counted by code and by stretches of `seconds`; equal ones that stand as one entry
    /// count as many as they were.
    pub async fn count_refusals(&self, since: UnixTime, seconds: u32) -> Result<Vec<RefusalCount>> {
        let rows = sqlx::query(
            "SELECT time - (time - ?1) % ?2 AS start, ifnull(code, '') AS code, sum(entry->>'count') AS count
             FROM audit WHERE time >= ?1 AND +verdict = 'refused' GROUP BY start, code ORDER BY start, code",
        )
        .bind(since.seconds())
        .bind(i64::from(seconds.max(1)))
        .fetch_all(&self.readers)
        .await?;
        let count = |row: &sqlx::sqlite::SqliteRow| {
            let count: i64 = row.try_get("count")?;
            Ok(RefusalCount {
                from: time(row, "start")?,
                code: row.try_get("code")?,
                count: count.unsigned_abs(),
            })
        };
        rows.iter().map(count).collect()
    }

    /// The parties that were admitted between these moments, inclusive, each with the sites and how often; by name.
    pub async fn who_entered(&self, from: UnixTime, until: UnixTime) -> Result<Vec<(String, String, u64)>> {
        let rows = sqlx::query(
            "SELECT party, site, sum(entry->>'count') AS count FROM audit
             WHERE time BETWEEN ?1 AND ?2 AND +verdict = 'admitted' AND +party IS NOT NULL AND +site IS NOT NULL
             GROUP BY party, site ORDER BY party, site",
        )
        .bind(from.seconds())
        .bind(until.seconds())
        .fetch_all(&self.readers)
        .await?;
        let one = |row: &sqlx::sqlite::SqliteRow| {
            let count: i64 = row.try_get("count")?;
            Ok((row.try_get("party")?, row.try_get("site")?, count.unsigned_abs()))
        };
        rows.iter().map(one).collect()
    }
}

/// Most rows that one statement appends.
const MOST_ROWS: usize = 64;

/// The statements that append 1, 2, 4, … [`MOST_ROWS`] rows. The parameters have no numbers: SQLite would look for each among
/// all of them.
static INSERTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let begin = "INSERT INTO audit (writer, number, time, site, party, code, verdict, reference, entry, hash) VALUES ";
    let rows = |power: u32| vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"; 1 << power].join(", ");
    (0..=MOST_ROWS.ilog2()).map(|power| begin.to_owned() + &rows(power)).collect()
});

/// The newest entry of a writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) number: i64,
    pub(crate) id: i64,
    pub(crate) hash: [u8; 32],
}

pub(crate) fn chain(before: &[u8; 32], entry: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(before).chain_update(entry).finalize().into()
}

/// Appends to a writer's chain; the new head, `None` where it has no entry.
pub(crate) async fn append(
    tx: &mut SqliteConnection,
    writer: &str,
    events: &[AuditEvent],
) -> Result<Option<Head>> {
    let row = sqlx::query("SELECT number, id, hash FROM audit_heads WHERE writer = ?1")
        .bind(writer)
        .fetch_optional(&mut *tx)
        .await?;
    let mut head = match row {
        Some(row) => {
            Head { number: row.try_get("number")?, id: row.try_get("id")?, hash: digest(&row, "hash")? }
        }
        None => Head { number: 0, id: 0, hash: [0; 32] },
    };
    let mut left = events;
    while !left.is_empty() {
        // Many rows a statement, since a statement costs more than a row; few statements, since each is kept prepared.
        let power = left.len().ilog2().min(MOST_ROWS.ilog2());
        let (some, rest) = left.split_at(1 << power);
        let mut insert = sqlx::query(INSERTS[power as usize].as_str());
        for event in some {
            let entry = serde_json::to_string(event).map_err(damaged)?;
            head.hash = chain(&head.hash, entry.as_bytes());
            head.number += 1;
            insert = insert
                .bind(writer)
                .bind(head.number)
                .bind(event.time.seconds())
                .bind(event.site.as_deref())
                .bind(event.party.as_deref())
                .bind(event.code.as_deref())
                .bind(&*event.verdict)
                .bind(event.reference.as_deref())
                .bind(entry)
                .bind(head.hash.to_vec());
        }
        head.id = insert.execute(&mut *tx).await?.last_insert_rowid();
        left = rest;
    }
    if head.number == 0 {
        return Ok(None);
    }
    sqlx::query(
        "INSERT INTO audit_heads (writer, number, id, hash) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (writer) DO UPDATE SET number = excluded.number, id = excluded.id, hash = excluded.hash",
    )
    .bind(writer)
    .bind(head.number)
    .bind(head.id)
    .bind(&head.hash[..])
    .execute(&mut *tx)
    .await?;
    Ok(Some(head))
}
