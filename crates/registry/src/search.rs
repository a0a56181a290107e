//! Entries of the audit found among very many: which index leads to them.
//!
//! An index is used for the one condition that says most; the others are looked at in the rows it leads to. All end with
//! the entry's number, so that the newest stand last in each and nothing is sorted.
//!
//! Gates that were away write late, so that a later number can have an earlier time. Where times are asked for, blocks of
//! numbers that hold none of these times are passed over, each at the price of one look into an index.

use examiner::UnixTime;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{QueryBuilder, SqliteConnection};

use crate::audit::AuditFilter;
use crate::error::Result;

/// Made where they are missing, whichever version of the schema it is: they hold nothing that the table does not.
pub(crate) const INDEXES: [(&str, &str); 5] = [
    ("audit_party", "CREATE INDEX IF NOT EXISTS audit_party ON audit (party) WHERE party IS NOT NULL"),
    ("audit_code", "CREATE INDEX IF NOT EXISTS audit_code ON audit (code) WHERE code IS NOT NULL"),
    ("audit_verdict", "CREATE INDEX IF NOT EXISTS audit_verdict ON audit (verdict)"),
    ("audit_site", "CREATE INDEX IF NOT EXISTS audit_site ON audit (site) WHERE site IS NOT NULL"),
    ("audit_block", "CREATE INDEX IF NOT EXISTS audit_block ON audit (id >> 10, time)"),
];

/// Numbers of entries, both included.
type Numbers = (i64, i64);

/// A block is the numbers that are alike but for so many bits, as in the index of blocks.
const BLOCK_BITS: u32 = 10;

/// So many blocks with these times are found at once.
const BLOCKS_AT_ONCE: usize = 64;

/// The entries that fit: newest first, or oldest first where the next ones after one are asked for.
pub(crate) async fn entries(tx: &mut SqliteConnection, filter: &AuditFilter) -> Result<Vec<SqliteRow>> {
    let first = filter.after_id.map_or(0, |id| id.saturating_add(1));
    let mut last = filter.before_id.map_or(i64::MAX, |id| id.saturating_sub(1));
    let any_time = filter.since.is_none() && filter.until.is_none();
    // The next ones after an entry are few anyhow.
    if any_time || filter.after_id.is_some() {
        return Ok(query(filter, (first, last), filter.limit).build().fetch_all(tx).await?);
    }
    let mut found = Vec::new();
    loop {
        let blocks = blocks_with_times(tx, filter, (first, last)).await?;
        for (least, most) in stretches(&blocks) {
            let wanted = filter.limit.map(|limit| limit.saturating_sub(length(&found)));
            let numbers = (first.max(least), last.min(most));
            found.append(&mut query(filter, numbers, wanted).build().fetch_all(&mut *tx).await?);
            if filter.limit.is_some_and(|limit| length(&found) >= limit) {
                return Ok(found);
            }
        }
        match blocks.last() {
            Some(block) if blocks.len() == BLOCKS_AT_ONCE => last = (block << BLOCK_BITS) - 1,
            _ => return Ok(found),
        }
    }
}

fn length(found: &[SqliteRow]) -> u32 {
    u32::try_from(found.len()).unwrap_or(u32::MAX)
}

/// The newest blocks between these numbers that hold an entry of these times, newest first.
async fn blocks_with_times(
    tx: &mut SqliteConnection,
    filter: &AuditFilter,
    (first, last): Numbers,
) -> Result<Vec<i64>> {
    let sql = "WITH RECURSIVE blocks (block) AS (
             SELECT (SELECT id >> 10 FROM audit WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1)
             UNION ALL
             SELECT (SELECT id >> 10 FROM audit WHERE id >= ?1 AND id < block << 10 ORDER BY id DESC LIMIT 1)
             FROM blocks WHERE block IS NOT NULL
         )
         SELECT block FROM blocks
         WHERE EXISTS (SELECT 1 FROM audit WHERE id >> 10 = block AND time BETWEEN ?3 AND ?4)
         LIMIT ?5";
    let blocks = sqlx::query_scalar(sql)
        .bind(first)
        .bind(last)
        .bind(filter.since.map_or(i64::MIN, UnixTime::seconds))
        .bind(filter.until.map_or(i64::MAX, UnixTime::seconds))
        .bind(i64::try_from(BLOCKS_AT_ONCE).unwrap_or(i64::MAX));
    Ok(blocks.fetch_all(tx).await?)
}

/// The numbers of these blocks, newest first; of neighbours together.
fn stretches(blocks: &[i64]) -> Vec<Numbers> {
    let mut stretches: Vec<Numbers> = Vec::new();
    for block in blocks {
        let (least, most) = (block << BLOCK_BITS, ((block + 1) << BLOCK_BITS) - 1);
        match stretches.last_mut() {
            Some((before, _)) if *before == most + 1 => *before = least,
            _ => stretches.push((least, most)),
        }
    }
    stretches
}

/// The entries that fit and have numbers between these, at most so many, in the order of [`entries`].
fn query(filter: &AuditFilter, (first, last): Numbers, limit: Option<u32>) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT id, writer, entry FROM audit WHERE id BETWEEN ");
    query.push_bind(first).push(" AND ").push_bind(last);
    let texts = texts(filter);
    let leads = leading(filter);
    for (column, value) in texts {
        let Some(value) = value else { continue };
        // A plus keeps a condition from its index.
        let plus = if Some(column) == leads { "" } else { "+" };
        query.push(format!(" AND {plus}{column} = ")).push_bind(value.clone());
    }
    if let Some(since) = filter.since {
        query.push(" AND +time >= ").push_bind(since.seconds());
    }
    if let Some(until) = filter.until {
        query.push(" AND +time <= ").push_bind(until.seconds());
    }
    if let Some(site) = &filter.not_admitted_at {
        query.push(" AND (+verdict <> 'admitted' OR ifnull(+site, '') <> ").push_bind(site.clone()).push(")");
    }
    query.push(if filter.after_id.is_none() { " ORDER BY id DESC" } else { " ORDER BY id" });
    query.push(" LIMIT ").push_bind(limit.map_or(-1, i64::from));
    query
}

/// The column whose index is used: what leads to the fewest, as a rule. The next ones after an entry are few anyhow.
fn leading(filter: &AuditFilter) -> Option<&'static str> {
    if filter.after_id.is_some() {
        return None;
    }
    texts(filter).into_iter().find_map(|(column, value)| value.as_ref().map(|_| column))
}

fn texts(filter: &AuditFilter) -> [(&'static str, &Option<String>); 5] {
    [
        ("reference", &filter.reference),
        ("party", &filter.party),
        ("code", &filter.code),
        ("verdict", &filter.verdict),
        ("site", &filter.site),
    ]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use sqlx::{Connection, Row};

    use super::*;
    use crate::lookups::page_sql;
    use crate::schema;

    const ENTRIES: i64 = 50_000;
    /// Steps of SQLite's machine that a page may take, however many entries and parties there are: some hundred a row.
    const STEPS_MOST: u64 = 20_000;

    /// A database with many parties and entries, one a second; each of a party of its own but for the busy one's.
    async fn filled() -> SqliteConnection {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(schema::CREATE).execute(&mut connection).await.unwrap();
        for (_, sql) in INDEXES {
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        }
        sqlx::raw_sql(
            "CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
                 SELECT i FROM n;
             INSERT INTO audit (writer, number, time, site, party, code, verdict, reference, entry, hash)
                 SELECT 'gate', i, i, CASE WHEN i = 7 THEN 'rare.test' ELSE 'portal.test' END,
                     CASE WHEN i % 2 THEN 'busy' ELSE 'p' || i END, CASE WHEN i = 9 THEN 'rare' ELSE 'usual' END,
                     CASE WHEN i = 11 THEN 'observed' ELSE 'refused' END, 'R-' || i, '{}', x'00'
                 FROM n;
             INSERT INTO parties (name, id, created_at) SELECT 'p' || i, 'id' || i, 0 FROM n;
             INSERT INTO grants (party, site) SELECT 'p' || i, 'portal.test' FROM n;",
        )
        .execute(&mut connection)
        .await
        .unwrap();
        connection
    }

    /// What is done with the connection, and the steps that SQLite's machine took for it.
    async fn counted<T>(
        connection: &mut SqliteConnection,
        done: impl AsyncFnOnce(&mut SqliteConnection) -> T,
    ) -> (T, u64) {
        let steps = Arc::new(AtomicU64::new(0));
        let seen = steps.clone();
        connection.lock_handle().await.unwrap().set_progress_handler(10, move || {
            seen.fetch_add(10, Ordering::Relaxed);
            true
        });
        let given = done(&mut *connection).await;
        connection.lock_handle().await.unwrap().remove_progress_handler();
        (given, steps.load(Ordering::Relaxed))
    }

    /// The numbers of the entries that fit, and the steps that it took to find them.
    async fn found(connection: &mut SqliteConnection, filter: &AuditFilter) -> (Vec<i64>, u64) {
        let (rows, steps) = counted(connection, async |tx| entries(tx, filter).await.unwrap()).await;
        (rows.iter().map(|row| row.get("id")).collect(), steps)
    }

    #[tokio::test]
    async fn a_page_reads_what_it_shows_and_not_the_whole_log() {
        let mut connection = filled().await;
        let text = |text: &str| Some(text.to_owned());
        let all = AuditFilter { limit: Some(50), ..AuditFilter::default() };
        for (filter, first, count) in [
            (all.clone(), 50_000, 50),
            (AuditFilter { before_id: Some(10_000), ..all.clone() }, 9_999, 50),
            (AuditFilter { after_id: Some(10_000), ..all.clone() }, 10_001, 50),
            (AuditFilter { party: text("busy"), ..all.clone() }, 49_999, 50),
            (AuditFilter { party: text("p8"), verdict: text("refused"), ..all.clone() }, 8, 1),
            (AuditFilter { party: text("nobody"), site: text("portal.test"), ..all.clone() }, 0, 0),
            (AuditFilter { code: text("rare"), site: text("portal.test"), ..all.clone() }, 9, 1),
            (AuditFilter { verdict: text("observed"), site: text("portal.test"), ..all.clone() }, 11, 1),
            (AuditFilter { site: text("rare.test"), ..all.clone() }, 7, 1),
            (AuditFilter { reference: text("R-5"), ..all.clone() }, 5, 1),
            (AuditFilter { since: Some(UnixTime(30)), until: Some(UnixTime(40)), ..all.clone() }, 40, 11),
            (
                AuditFilter {
                    since: Some(UnixTime(30)),
                    until: Some(UnixTime(40)),
                    site: text("portal.test"),
                    ..all.clone()
                },
                40,
                11,
            ),
            (AuditFilter { until: Some(UnixTime(20_000)), ..all.clone() }, 20_000, 50),
            (AuditFilter { until: Some(UnixTime(20_000)), before_id: Some(9_000), ..all.clone() }, 8_999, 50),
            (AuditFilter { until: Some(UnixTime(20_000)), party: text("busy"), ..all.clone() }, 19_999, 50),
            (AuditFilter { until: Some(UnixTime(20_000)), code: text("usual"), ..all.clone() }, 20_000, 50),
            (
                AuditFilter { until: Some(UnixTime(20_000)), verdict: text("refused"), ..all.clone() },
                20_000,
                50,
            ),
            (AuditFilter { until: Some(UnixTime(20_000)), verdict: text("observed"), ..all.clone() }, 11, 1),
            (AuditFilter { until: Some(UnixTime(0)), ..all.clone() }, 0, 0),
            (AuditFilter { since: Some(UnixTime(1)), ..all.clone() }, 50_000, 50),
            (AuditFilter { since: Some(UnixTime(1)), verdict: text("observed"), ..all.clone() }, 11, 1),
            (AuditFilter { since: Some(UnixTime(50_001)), ..all.clone() }, 0, 0),
        ] {
            let (ids, steps) = found(&mut connection, &filter).await;
            assert_eq!((ids.first().copied().unwrap_or(0), ids.len()), (first, count), "{filter:?}");
            assert!(steps < STEPS_MOST, "{steps} steps of {ENTRIES} entries: {filter:?}");
        }
    }

    /// Two gates that were away: one writes what is days old among the newest, the other a few entries now and then.
    const LATE: &str = "UPDATE audit SET time = id - 45000 WHERE id BETWEEN 48001 AND 48060;
         UPDATE audit SET time = 10 WHERE id IN (21000, 30000, 30001, 39936, 39937, 50000);
         UPDATE audit SET time = 60000 WHERE id IN (5, 1023, 1024, 2000)";

    /// Entries that lie scattered cost the blocks in which they are.
    const STEPS_MOST_SCATTERED: u64 = 2 * STEPS_MOST;

    #[tokio::test]
    async fn paging_through_times_finds_each_entry_once_also_those_written_days_late() {
        let mut connection = filled().await;
        sqlx::raw_sql(LATE).execute(&mut connection).await.unwrap();
        let busy = Some("busy".to_owned());
        for (since, until, party, after) in [
            (None, Some(2_500), None, None),
            (None, Some(3_020), None, None),
            (Some(10), Some(10), None, None),
            (Some(49_990), None, None, None),
            (Some(49_990), None, busy.clone(), None),
            (Some(3_000), Some(3_100), busy, None),
            (Some(3_000), Some(3_100), None, Some(40_000)),
            (Some(60_001), None, None, None),
        ] {
            let wanted: Vec<i64> = sqlx::query_scalar(
                "SELECT id FROM audit WHERE time BETWEEN ?1 AND ?2 AND ifnull(party = ?3, 1) AND id > ?4
                 ORDER BY CASE WHEN ?5 THEN id ELSE -id END",
            )
            .bind(since.unwrap_or(0))
            .bind(until.unwrap_or(i64::MAX))
            .bind(&party)
            .bind(after.unwrap_or(0))
            .bind(after.is_some())
            .fetch_all(&mut connection)
            .await
            .unwrap();
            let (since, until) = (since.map(UnixTime), until.map(UnixTime));
            let mut filter = AuditFilter {
                since,
                until,
                party,
                after_id: after,
                limit: Some(50),
                ..AuditFilter::default()
            };
            let mut paged = Vec::new();
            loop {
                let (page, steps) = found(&mut connection, &filter).await;
                let bound = if after.is_some() { u64::MAX } else { STEPS_MOST_SCATTERED };
                assert!(steps < bound, "{steps} steps of {ENTRIES} entries: {filter:?}");
                let Some(end) = page.last() else { break };
                if after.is_some() {
                    filter.after_id = Some(*end);
                } else {
                    filter.before_id = Some(*end);
                }
                paged.extend(page);
            }
            assert_eq!(paged, wanted, "{filter:?}");
            let all = AuditFilter { limit: None, before_id: None, after_id: after, ..filter };
            assert_eq!(found(&mut connection, &all).await.0, wanted, "{all:?}");
        }
    }

    #[tokio::test]
    async fn a_page_of_parties_reads_what_it_shows_and_not_all_parties() {
        let mut connection = filled().await;
        for after in ["", "p15000"] {
            let sql = page_sql(false).replace("?1", &format!("'{after}'")).replace("?2", "51");
            let sql = sql.replace("?5", "NULL").replace("SELECT name,", "SELECT created_at, name,");
            let mut query = QueryBuilder::<Sqlite>::new(sql);
            let page = async |tx: &mut SqliteConnection| query.build().fetch_all(tx).await.unwrap();
            let (rows, steps) = counted(&mut connection, page).await;
            assert_eq!(rows.len(), 51);
            assert!(steps < STEPS_MOST, "{steps} steps after {after:?}");
        }
    }
}
