//! What a page of the console costs where there are very many parties and a very long log.
//!
//! Both are rows made by `sqlite3`: parties with certificates like alice's, and entries of the log over thirty days. Each page
//! is asked for many times; the console opens registry and settings anew for each.

use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use testkit::{Binary, Conn, Portal, block_on};

use crate::cost;
use crate::failure::{Doing, Failure};
use crate::options::PagesOptions;
use crate::scale::{beside, sql};

/// The figures.
#[derive(Debug, Serialize)]
struct Report {
    parties: u32,
    entries: u32,
    /// Bytes of the database.
    database: u64,
    pages: Vec<Page>,
    /// The most kB that the console's process had resident at once.
    peak_kb: u64,
}

/// What one page costs.
#[derive(Debug, Serialize)]
struct Page {
    path: String,
    about: &'static str,
    /// Milliseconds of processor time of the console's process for one.
    processor_ms: f64,
    /// Milliseconds from the question to the answer's end: the median, and the most.
    took_ms: [f64; 2],
    /// Bytes of the answer.
    bytes: usize,
}

/// Measures, prints, and writes pages.json.
pub fn pages(options: &PagesOptions) -> Result<(), Failure> {
    let program = options.gate.clone().map_or_else(beside, Ok)?;
    let mut portal = Portal::build(&Binary::new(&program.display().to_string())).party("alice").prepare();
    let database = portal.sandbox.path("state/registry.db");
    fill(&database, options)?;
    portal.start_gate();
    let console = portal.gate().console_pid().ok_or_else(|| Failure::new("no console runs"))?;
    let (parties, entries) = (options.parties, options.entries);
    let one = parties / 2 + 1;
    let asked = [
        ("/".to_owned(), "the overview"),
        ("/parties".to_owned(), "the first parties"),
        (format!("/parties?after=p{one}"), "parties from the middle"),
        (format!("/parties?q={one}"), "a party by a part of its name"),
        ("/parties?q=nobody".to_owned(), "the same, and there is none"),
        ("/api/v1/parties?ends_within=30d".to_owned(), "parties whose last certificate ends soon"),
        (format!("/parties/p{one}"), "one party"),
        ("/pending".to_owned(), "who has knocked"),
        ("/log".to_owned(), "the newest entries"),
        (format!("/log?before={}", entries / 2), "entries from the middle"),
        (format!("/log?party=p{one}"), "the entries of one party"),
        ("/log?party=nobody".to_owned(), "of a party that has none"),
        ("/log?site=portal.test&verdict=refused".to_owned(), "refusals at a site"),
        ("/log?code=expired".to_owned(), "entries with a rare code"),
        ("/log?verdict=changed".to_owned(), "changes"),
        ("/log?verdict=observed".to_owned(), "what was observed, and there is nothing"),
        ("/log?until=20d".to_owned(), "entries of long ago"),
        ("/log?until=20d&code=unknown-issuer".to_owned(), "refusals of long ago, with a code that many have"),
        ("/explain?reference=ZZZZ-99".to_owned(), "a reference that nobody has"),
    ];
    let mut pages = Vec::new();
    for (path, about) in asked {
        pages.push(page(&portal, console, path, about, options.times)?);
    }
    let report = Report {
        parties,
        entries,
        database: database.metadata().doing("the database")?.len(),
        pages,
        peak_kb: cost::peak_kb(console).ok_or_else(|| Failure::new("the console is gone"))?,
    };
    write(options, &report)
}

/// Asks for a page so many times.
fn page(
    portal: &Portal,
    console: u32,
    path: String,
    about: &'static str,
    times: u32,
) -> Result<Page, Failure> {
    let client = portal.operator();
    let (took, bytes, processor_us) = block_on(async {
        let mut connection = client.connect(portal.admin_port, "localhost").await.map_err(broken)?;
        let bytes = get(&mut connection, &path).await?;
        let before = cost::processor_time(console)?;
        let mut took = Vec::new();
        for _ in 0..times {
            let began = Instant::now();
            get(&mut connection, &path).await?;
            took.push(began.elapsed().as_secs_f64() * 1e3);
        }
        Ok::<_, Failure>((took, bytes, cost::processor_time(console)? - before))
    })?;
    let mut took = took;
    took.sort_by(f64::total_cmp);
    let took_ms = [took[took.len() / 2], took[took.len() - 1]];
    Ok(Page { path, about, processor_ms: processor_us / f64::from(times) / 1e3, took_ms, bytes })
}

async fn get(connection: &mut Conn, path: &str) -> Result<usize, Failure> {
    let answer = connection.get(path, &[]).await.map_err(broken)?;
    if answer.status != 200 {
        return Err(Failure::new(format!("{path}: {}", answer.text())));
    }
    Ok(answer.body.len())
}

fn broken(broken: testkit::Broken) -> Failure {
    Failure::new(format!("the admin address: {broken:?}"))
}

/// Parties p1, p2, … as `scale` makes them, and entries of the log, the last of them now: nine in ten an admission, the
/// others refusals, one in 100,000 of them with a rare code.
fn fill(database: &Path, options: &PagesOptions) -> Result<(), Failure> {
    crate::scale::fill(database, options.parties)?;
    let (parties, entries) = (options.parties, options.entries);
    let text = format!(
        "PRAGMA synchronous = OFF;
         BEGIN;
         CREATE TEMP TABLE e AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {entries})
             SELECT i, unixepoch() - CAST((CAST({entries} AS REAL) - i) / {entries} * 30 * 86400 AS INTEGER) AS time,
                 'p' || (1 + i * 7919 % {parties}) AS party, i % 10 = 0 AS refused,
                 CASE WHEN i % 10 > 0 THEN NULL WHEN i % 100000 = 0 THEN 'expired' ELSE 'unknown-issuer' END AS code,
                 printf('%04X-%02X', i / 256 % 65536, i % 256) AS reference
             FROM n;
         INSERT INTO audit (writer, number, time, site, party, code, verdict, reference, entry, hash)
             SELECT 'bench', i, time, 'portal.test', CASE WHEN refused THEN NULL ELSE party END, code,
                 CASE WHEN refused THEN 'refused' ELSE 'admitted' END, CASE WHEN refused THEN reference END,
                 json_object('time', strftime('%Y-%m-%dT%H:%M:%SZ', time, 'unixepoch'), 'site', 'portal.test',
                     'party', CASE WHEN refused THEN NULL ELSE party END,
                     'thumbprint', lower(hex(randomblob(32))), 'address', '192.0.2.7',
                     'verdict', CASE WHEN refused THEN 'refused' ELSE 'admitted' END, 'code', code, 'rule', 'own',
                     'reference', CASE WHEN refused THEN reference END, 'detail', NULL, 'count', 1),
                 randomblob(32)
             FROM e;
         COMMIT;
         PRAGMA wal_checkpoint(TRUNCATE);"
    );
    sql(database, &text).map(drop)
}

fn write(options: &PagesOptions, report: &Report) -> Result<(), Failure> {
    println!(
        "{} parties, {} entries of the log, {:.0} MB of database; the console's process had {} MB at the most",
        report.parties,
        report.entries,
        report.database as f64 / 1e6,
        report.peak_kb / 1000
    );
    for Page { path, about, processor_ms, took_ms: [median, most], .. } in &report.pages {
        println!(
            "{processor_ms:6.1} ms of processor time, {median:6.1} ms, {most:6.1} at the most: {about} ({path})"
        );
    }
    let out = options.out.clone().unwrap_or_else(|| "target/bench".into());
    std::fs::create_dir_all(&out).doing("the report's directory")?;
    let json = serde_json::to_vec_pretty(report).doing("the report")?;
    std::fs::write(out.join("pages.json"), json).doing("pages.json")
}
