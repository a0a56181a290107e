//! Entries of the audit found among very many: which index leads to them.
//!
//! An index is used for the one condition that says most; the others are looked at in the rows it leads to. All end with
//! the entry's number, so that the newest stand last in each and nothing is sorted.

use sqlx::sqlite::Sqlite;
use sqlx::{QueryBuilder, SqliteConnection};

use crate::audit::AuditFilter;
use crate::error::Result;

/// Made where they are missing, whichever version of the schema it is: they hold nothing that the table does not.
pub(crate) const INDEXES: [(&str, &str); 4] = [
    ("audit_party", "CREATE INDEX IF NOT EXISTS audit_party ON audit (party) WHERE party IS NOT NULL"),
    ("audit_code", "CREATE INDEX IF NOT EXISTS audit_code ON audit (code) WHERE code IS NOT NULL"),
    ("audit_verdict", "CREATE INDEX IF NOT EXISTS audit_verdict ON audit (verdict)"),
    ("audit_site", "CREATE INDEX IF NOT EXISTS audit_site ON audit (site) WHERE site IS NOT NULL"),
];

/// Numbers of entries, both included.
pub(crate) type Numbers = (i64, i64);

/// So many entries are passed over in a moment.
const MANY: i64 = 20_000;

/// The numbers between which the entries that fit are; `None` where there are none. Gates that were away write late, so that
/// entries of other times can be among them.
pub(crate) async fn numbers(tx: &mut SqliteConnection, filter: &AuditFilter) -> Result<Option<Numbers>> {
    let mut first = filter.after_id.map_or(0, |id| id.saturating_add(1));
    let mut last = filter.before_id.map_or(i64::MAX, |id| id.saturating_sub(1));
    // Where something else leads to a few, times are looked at in those.
    if leads_to_few(filter) {
        return Ok(Some((first, last)));
    }
    if let Some(since) = filter.since {
        let (count, least): (i64, Option<i64>) =
            sqlx::query_as("SELECT count(*), min(id) FROM (SELECT id FROM audit WHERE time >= ?1 LIMIT ?2)")
                .bind(since.seconds())
                .bind(MANY)
                .fetch_one(&mut *tx)
                .await?;
        let Some(least) = least else { return Ok(None) };
        // Of more, there is a page among the newest.
        if count < MANY {
            first = first.max(least);
        }
    }
    if let Some(until) = filter.until {
        let after: i64 =
            sqlx::query_scalar("SELECT count(*) FROM (SELECT 1 FROM audit WHERE time > ?1 LIMIT ?2)")
                .bind(until.seconds())
                .bind(MANY)
                .fetch_one(&mut *tx)
                .await?;
        if after == MANY {
            let most: Option<i64> = sqlx::query_scalar("SELECT max(id) FROM audit WHERE time <= ?1")
                .bind(until.seconds())
                .fetch_one(tx)
                .await?;
            let Some(most) = most else { return Ok(None) };
            last = last.min(most);
        }
    }
    Ok(Some((first, last)))
}

/// The entries that fit, with numbers between these: newest first, or oldest first where the next ones after one are asked
/// for.
pub(crate) fn query(filter: &AuditFilter, (first, last): Numbers) -> QueryBuilder<Sqlite> {
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
    query.push(" LIMIT ").push_bind(filter.limit.map_or(-1, i64::from));
    query
}

/// The column whose index is used: what leads to the fewest, as a rule. The next ones after an entry are few anyhow.
fn leading(filter: &AuditFilter) -> Option<&'static str> {
    if filter.after_id.is_some() {
        return None;
    }
    texts(filter).into_iter().find_map(|(column, value)| value.as_ref().map(|_| column))
}

/// Whether that is a few, as a rule: a verdict or a site can be that of all entries.
fn leads_to_few(filter: &AuditFilter) -> bool {
    matches!(leading(filter), Some("reference" | "party" | "code"))
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

    use examiner::UnixTime;
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

    /// The rows of a query, and the steps that SQLite's machine took for them.
    async fn counted(connection: &mut SqliteConnection, mut query: QueryBuilder<Sqlite>) -> (Vec<i64>, u64) {
        let steps = Arc::new(AtomicU64::new(0));
        let seen = steps.clone();
        connection.lock_handle().await.unwrap().set_progress_handler(10, move || {
            seen.fetch_add(10, Ordering::Relaxed);
            true
        });
        let rows = query.build().fetch_all(&mut *connection).await.unwrap();
        connection.lock_handle().await.unwrap().remove_progress_handler();
        (rows.iter().map(|row| row.get(0)).collect(), steps.load(Ordering::Relaxed))
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
        ] {
            let numbers = numbers(&mut connection, &filter).await.unwrap().unwrap();
            let (ids, steps) = counted(&mut connection, query(&filter, numbers)).await;
            assert_eq!((ids.first().copied().unwrap_or(0), ids.len()), (first, count), "{filter:?}");
            assert!(steps < STEPS_MOST, "{steps} steps of {ENTRIES} entries: {filter:?}");
        }
    }

    #[tokio::test]
    async fn a_page_of_parties_reads_what_it_shows_and_not_all_parties() {
        let mut connection = filled().await;
        for after in ["", "p15000"] {
            let sql = page_sql(false).replace("?1", &format!("'{after}'")).replace("?2", "51");
            let sql = sql.replace("?5", "NULL").replace("SELECT name,", "SELECT created_at, name,");
            let (rows, steps) = counted(&mut connection, QueryBuilder::new(sql)).await;
            assert_eq!(rows.len(), 51);
            assert!(steps < STEPS_MOST, "{steps} steps after {after:?}");
        }
    }
}
