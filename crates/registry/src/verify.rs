//! Whether the audit is still whole: every entry as it was written, none missing, none cut off the end.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::audit::{AuditEvent, Head, chain};
use crate::error::Result;
use crate::open::Registry;
use crate::retain::{stored_heads, stored_starts};
use crate::rows::{digest, hex};

/// Entries read at a time.
const BATCH: i64 = 5_000;

/// What a check of the audit found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditVerdict {
    /// Nothing altered, nothing missing.
    Whole {
        /// How many entries there are.
        entries: u64,
        /// Each writer's newest, by name.
        heads: Vec<AuditHead>,
    },
    /// Something is altered or missing; the first is named.
    Broken {
        /// Whose chain; empty where the file of the heads is what is wrong.
        writer: String,
        /// The entry's number in the store; of missing ones the first that was noted; 0 where it is the file.
        id: i64,
        /// What is wrong with it.
        what: String,
    },
}

/// The newest entry of a writer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditHead {
    /// The writer.
    pub writer: String,
    /// How many entries it wrote.
    pub number: i64,
    /// The newest entry's hash, hex.
    pub hash: String,
}

impl Registry {
    /// Checks every writer's chain against its entries, its head and the signed heads beside the database. A chain
    /// begins at its first entry, or where a signed line says that older ones were removed.
    pub async fn verify_audit(&self) -> Result<AuditVerdict> {
        // The file is read first: heads are noted after their commit, so each one in it must be found below.
        let noted = self.heads.read();
        let mut tx = self.readers.begin().await?;
        let heads = stored_heads(&mut tx).await?;
        let starts = stored_starts(&mut tx).await?;
        // What was noted meanwhile: removals are noted before their commit.
        let again = self.heads.read();
        if noted.is_none() && again.is_none() && !heads.is_empty() {
            let what = "the file audit-heads is missing beside the database".into();
            return Ok(AuditVerdict::Broken { writer: String::new(), id: 0, what });
        }
        let (mut noted, again) = (noted.unwrap_or_default(), again.unwrap_or_default());
        if let Some(line) = noted.altered {
            let what = format!("line {line} of audit-heads is altered, or signed with another key");
            return Ok(AuditVerdict::Broken { writer: String::new(), id: 0, what });
        }
        for (writer, start) in &starts {
            let place = (writer.clone(), start.number);
            if ![&noted, &again].iter().any(|file| file.starts.get(&place) == Some(start)) {
                let what =
                    format!("entries up to {} are removed, and no signed line tells of it", start.number);
                return Ok(AuditVerdict::Broken { writer: writer.clone(), id: start.id, what });
            }
        }
        noted
            .heads
            .retain(|(writer, number), _| starts.get(writer).is_none_or(|start| *number > start.number));
        let mut noted = noted.heads;
        let mut chains: BTreeMap<String, Head> = starts;
        let mut entries = 0;
        let mut after = 0;
        loop {
            let rows = sqlx::query(
                "SELECT id, writer, number, time, site, party, code, verdict, reference,
                     CAST(entry AS BLOB) AS entry, hash
                 FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2",
            )
            .bind(after)
            .bind(BATCH)
            .fetch_all(&mut *tx)
            .await?;
            let Some(last) = rows.last() else { break };
            after = last.try_get("id")?;
            for row in &rows {
                entries += 1;
                if let Some(broken) = follow(row, &mut chains, &mut noted)? {
                    return Ok(broken);
                }
            }
        }
        Ok(cut_tail(&chains, &heads, noted).unwrap_or_else(|| AuditVerdict::Whole {
            entries,
            heads: chains
                .into_iter()
                .map(|(writer, head)| AuditHead { writer, number: head.number, hash: hex(&head.hash) })
                .collect(),
        }))
    }
}

/// Follows a chain by one entry; what is wrong with it, if anything.
fn follow(
    row: &SqliteRow,
    chains: &mut BTreeMap<String, Head>,
    noted: &mut HashMap<(String, i64), Head>,
) -> Result<Option<AuditVerdict>> {
    let id = row.try_get("id")?;
    let Ok(writer) = row.try_get::<String, _>("writer") else {
        let what = "the writer's name is altered".into();
        return Ok(Some(AuditVerdict::Broken { writer: String::new(), id, what }));
    };
    let broken = |what: String| Ok(Some(AuditVerdict::Broken { writer: writer.clone(), id, what }));
    let before = chains.get(&writer);
    let expected = before.map_or(1, |head| head.number + 1);
    let number: i64 = row.try_get("number")?;
    if number != expected {
        return broken(format!("entry {expected} of this writer should stand before entry {number}"));
    }
    let entry: Vec<u8> = row.try_get("entry")?;
    let hash = chain(&before.map_or([0; 32], |head| head.hash), &entry);
    if digest(row, "hash").ok() != Some(hash) {
        return broken(format!("entry {number} of this writer is altered"));
    }
    if !columns_agree(row, &entry) {
        return broken(format!("entry {number} of this writer is altered in the columns that are searched"));
    }
    if noted.remove(&(writer.clone(), number)).is_some_and(|head| head.hash != hash || head.id != id) {
        return broken(format!("entry {number} of this writer is not the one whose hash was noted"));
    }
    chains.insert(writer, Head { number, id, hash });
    Ok(None)
}

/// Whether the columns that are searched say what the hashed entry says.
fn columns_agree(row: &SqliteRow, entry: &[u8]) -> bool {
    let Ok(event) = serde_json::from_slice::<AuditEvent>(entry) else { return false };
    let same = |column: &str, value: &Option<String>| {
        row.try_get::<Option<String>, _>(column).is_ok_and(|found| found == *value)
    };
    row.try_get::<i64, _>("time").is_ok_and(|time| time == event.time.seconds())
        && same("site", &event.site)
        && same("party", &event.party)
        && same("code", &event.code)
        && same("verdict", &Some(event.verdict.clone()))
        && same("reference", &event.reference)
}

/// Whether a writer's last entries are missing, by the heads in the table and in the file.
fn cut_tail(
    chains: &BTreeMap<String, Head>,
    heads: &BTreeMap<String, Head>,
    noted: HashMap<(String, i64), Head>,
) -> Option<AuditVerdict> {
    let mut known: Vec<(i64, String, Head)> =
        noted.into_iter().map(|((writer, _), head)| (head.id, writer, head)).collect();
    known.extend(heads.iter().map(|(writer, head)| (head.id, writer.clone(), head.clone())));
    known.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    for (id, writer, head) in known {
        let last = chains.get(&writer).map_or(0, |last| last.number);
        let what = match head.number {
            number if number == last + 1 => format!("entry {number} of this writer is missing"),
            number if number > last => format!("entries {} to {number} of this writer are missing", last + 1),
            number if number == last && chains.get(&writer) != Some(&head) => {
                format!("entry {number} of this writer is not the one whose hash was kept")
            }
            number if number < last && heads.get(&writer) == Some(&head) => {
                format!("the head kept for this writer is of entry {number}, but {last} stand")
            }
            _ => continue,
        };
        return Some(AuditVerdict::Broken { writer, id, what });
    }
    let headless = chains.iter().find(|(writer, _)| !heads.contains_key(*writer));
    headless.map(|(writer, last)| AuditVerdict::Broken {
        writer: writer.clone(),
        id: last.id,
        what: "no head is kept for this writer".into(),
    })
}
