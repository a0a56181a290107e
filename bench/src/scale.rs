//! What becomes of the authority when it has issued very many certificates: commands, lists, OCSP, the gate's start.
//!
//! The certificates are rows of the registry, made by `sqlite3` from a real one, each with a serial number, thumbprint and
//! key of its own; every twentieth is revoked. All else is the binary's own work.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;
use testkit::{Binary, Gate, Portal, free_port, openssl};

use crate::cost;
use crate::failure::{Doing, Failure};
use crate::options::ScaleOptions;

/// Into how many parts the list is divided.
const PARTS: u8 = 16;
/// How long the gate may take to start.
const PATIENCE: Duration = Duration::from_secs(900);
/// How many questions are asked of OCSP, and about how many certificates.
const QUESTIONS: (usize, usize) = (1000, 50);

/// The figures.
#[derive(Debug, Serialize)]
struct Report {
    certificates: u32,
    revoked: u64,
    /// Bytes of the database.
    database: u64,
    /// Of each command, from its start to its end.
    commands: BTreeMap<&'static str, Used>,
    /// Bytes of the whole list and of its largest part.
    list: [u64; 2],
    /// Of the gate until it is ready: where the whole registry is read, and where it has its last policy.
    starts: [Used; 2],
    /// Bytes of the last policy on disk.
    last_policy: u64,
    /// Milliseconds from a revocation's command to its end, with the gate's word that it is in force.
    revoke_ms: f64,
    /// Microseconds from a question to its answer, with a connection for each: median, and 99 of 100.
    ocsp_us: [f64; 2],
    /// Microseconds of processor time for an answer, in the gate and in the process that answers.
    ocsp_processor_us: [f64; 2],
    /// Resident kB of the gate, of the authority after it made the lists, and of the process that answers.
    resident_kb: [u64; 3],
}

/// What a process used.
#[derive(Clone, Copy, Debug, Serialize)]
struct Used {
    /// Processor time of it and its children in milliseconds, in steps of 10.
    processor_ms: f64,
    /// The most kB that it had resident at once.
    peak_kb: u64,
}

/// Measures, prints, and writes scale.json.
pub fn scale(options: &ScaleOptions) -> Result<(), Failure> {
    let program = options.gate.clone().map_or_else(beside, Ok)?;
    let http = free_port();
    let built = Portal::build(&Binary::new(&program.display().to_string()))
        .server_line(&format!("http = [\"127.0.0.1:{http}\"]"))
        .server_line(&format!("http_url = \"http://127.0.0.1:{http}\""))
        .server_line(&format!("crl_shards = {PARTS}"))
        .party("alice");
    let mut portal = built.prepare();
    let database = portal.sandbox.path("state/registry.db");
    fill(&database, options.certificates)?;

    let mut commands = BTreeMap::new();
    // Not one of those that are revoked.
    let middle = format!("p{}", options.certificates / 40 * 20 + 1);
    let lines: [(&'static str, &[&str]); 11] = [
        ("party show", &["party", "show", &middle]),
        ("party list --limit 100", &["party", "list", "--limit", "100", "--after", &middle]),
        ("party list --expires-within 1d", &["party", "list", "--expires-within", "1d"]),
        ("party list, all", &["party", "list"]),
        ("party add", &["party", "add", "late", "--site", "portal.test", "--pem", "--out", "."]),
        ("party suspend", &["party", "suspend", &middle]),
        ("party revoke", &["party", "revoke", &middle]),
        ("explain", &["explain", "late.pem", "--site", "portal.test"]),
        ("status", &["status"]),
        ("ca crl", &["ca", "crl", "--out", "whole.crl"]),
        ("upkeep: all lists", &["upkeep"]),
    ];
    for (name, line) in lines {
        commands.insert(name, run(&portal, line)?);
    }

    let whole = start(&mut portal)?;
    let last = portal.sandbox.path("state/snapshot/last");
    let end = Instant::now() + PATIENCE;
    while !last.exists() {
        if Instant::now() > end {
            return Err(Failure::new("the last policy is not written"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    portal.stop_gate();
    let starts = [whole, start(&mut portal)?];
    let began = Instant::now();
    run(&portal, &["party", "revoke", "late"])?;
    let revoke_ms = began.elapsed().as_secs_f64() * 1e3;

    let questions = questions(&portal, &database)?;
    let [gate, authority, responder] = processes(&portal)?;
    // The process that answers is not waited for when the gate is ready.
    let end = Instant::now() + PATIENCE;
    while let Err(why) = answer(http, &questions[0]) {
        if Instant::now() > end {
            return Err(why);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let before = [cost::processor_time(gate)?, cost::processor_time(responder)?];
    let mut took = Vec::with_capacity(QUESTIONS.0);
    for i in 0..QUESTIONS.0 {
        let began = Instant::now();
        answer(http, &questions[i % questions.len()])?;
        took.push(began.elapsed().as_secs_f64() * 1e6);
    }
    took.sort_by(f64::total_cmp);
    let used = [cost::processor_time(gate)? - before[0], cost::processor_time(responder)? - before[1]];
    let resident = |pid| cost::memory(pid).map(|memory| memory.rss_kb);
    let report = Report {
        certificates: options.certificates,
        revoked: number(&database, "SELECT count(*) FROM certificates WHERE revoked_at IS NOT NULL")?,
        database: database.metadata().doing("the database")?.len(),
        commands,
        list: lists(&portal.sandbox.path("state/crl"))?,
        starts,
        last_policy: last.metadata().doing("the last policy")?.len(),
        revoke_ms,
        ocsp_us: [took[took.len() / 2], took[took.len() * 99 / 100]],
        ocsp_processor_us: used.map(|all| all / QUESTIONS.0 as f64),
        resident_kb: [resident(gate)?, resident(authority)?, resident(responder)?],
    };
    write(options, &report)
}

/// Runs one command to its end, however long it takes. One that calls for attention has done its work as well.
fn run(portal: &Portal, line: &[&str]) -> Result<Used, Failure> {
    let said = portal.sandbox.path("said");
    let file = std::fs::File::create(&said).doing("a file")?;
    let before = cost::processor_time(std::process::id())?;
    let mut command = portal.sandbox.command(line);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    let mut child = command.spawn().doing("the gate's binary")?;
    let mut peak_kb = 0;
    let status = loop {
        peak_kb = peak_kb.max(cost::peak_kb(child.id()).unwrap_or(0));
        match child.try_wait().doing("the gate's binary")? {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    if !matches!(status.code(), Some(0 | 1)) {
        let said = std::fs::read_to_string(said).unwrap_or_default();
        return Err(Failure::new(format!("countersign {}: {said}", line.join(" "))));
    }
    let processor_ms = (cost::processor_time(std::process::id())? - before) / 1e3;
    Ok(Used { processor_ms, peak_kb })
}

/// Starts the gate; what its processes used until it is ready, and the most memory of the one that serves.
fn start(portal: &mut Portal) -> Result<Used, Failure> {
    let gate = Gate::spawn(portal.sandbox.command(&["run"]));
    gate.wait_stderr("ready", PATIENCE);
    let processor_ms = cost::processor_time(gate.pid())? / 1e3;
    let peak_kb = gate.gate_pid().and_then(cost::peak_kb);
    portal.gate = Some(gate);
    Ok(Used { processor_ms, peak_kb: peak_kb.ok_or_else(|| Failure::new("no gate runs"))? })
}

/// The gate, the authority, and the process that answers, once all of them run.
fn processes(portal: &Portal) -> Result<[u32; 3], Failure> {
    let end = Instant::now() + PATIENCE;
    loop {
        let gate = portal.gate();
        let pids = [gate.gate_pid(), gate.authority_pid(), gate.responder_pid()];
        if let [Some(gate), Some(authority), Some(responder)] = pids {
            return Ok([gate, authority, responder]);
        }
        if Instant::now() > end {
            return Err(Failure::new("not all processes of the gate run"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The gate beside this program.
pub fn beside() -> Result<PathBuf, Failure> {
    let here = std::env::current_exe().doing("this program's place")?;
    Ok(here.with_file_name("countersign"))
}

/// Runs SQL on the database; what it prints.
pub fn sql(database: &Path, text: &str) -> Result<String, Failure> {
    // The gate writes meanwhile.
    let patient = ["-cmd", ".timeout 60000"];
    let done = Command::new("sqlite3").args(patient).arg(database).arg(text).output().doing("sqlite3")?;
    if !done.status.success() {
        return Err(Failure::new(format!("sqlite3: {}", String::from_utf8_lossy(&done.stderr))));
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

fn number(database: &Path, query: &str) -> Result<u64, Failure> {
    sql(database, query)?.trim().parse().doing("a number of sqlite3")
}

/// Puts the parties p1, p2, … on record, each with a grant and a certificate like alice's, every twentieth revoked.
pub fn fill(database: &Path, certificates: u32) -> Result<(), Failure> {
    let text = format!(
        "PRAGMA synchronous = OFF;
         BEGIN;
         CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {certificates})
             SELECT i FROM n;
         INSERT INTO parties (name, id, created_at)
             SELECT 'p' || i, printf('%08x-0000-4000-8000-%012x', i, i), (SELECT created_at FROM meta) FROM n;
         INSERT INTO certificates (thumbprint, sha1, holder_kind, holder, label, origin, profile, key_pin, serial, subject,
                 issuer, not_before, not_after, revoked_at, revoked_reason, der, issued_by)
             SELECT randomblob(32), randomblob(20), 'party', 'p' || i, 'cert-1', 'own', one.profile, randomblob(32),
                 CAST(char(1 + i / 20 % {PARTS}) || randomblob(15) AS BLOB), 'CN=p' || i, one.issuer, one.not_before,
                 one.not_after, CASE WHEN i % 20 = 0 THEN one.not_before END,
                 CASE WHEN i % 20 = 0 THEN 'superseded' END, one.der, one.issued_by
             FROM n, (SELECT * FROM certificates WHERE holder = 'alice') AS one;
         INSERT INTO grants (party, site) SELECT 'p' || i, 'portal.test' FROM n;
         COMMIT;
         PRAGMA wal_checkpoint(TRUNCATE);"
    );
    sql(database, &text).map(drop)
}

/// Questions about some certificates, DER.
fn questions(portal: &Portal, database: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let query = format!(
        "SELECT lower(hex(serial)) FROM certificates WHERE holder LIKE 'p%' ORDER BY random() LIMIT {}",
        QUESTIONS.1
    );
    let mut all = Vec::new();
    for serial in sql(database, &query)?.lines() {
        let serial = format!("0x{serial}");
        let args = [
            "ocsp",
            "-issuer",
            "state/ca/client.pem",
            "-serial",
            &serial,
            "-no_nonce",
            "-reqout",
            "question.der",
        ];
        let made = openssl(portal.sandbox.dir(), &args, b"");
        if made.code != 0 {
            return Err(Failure::new(made.story()));
        }
        all.push(std::fs::read(portal.sandbox.path("question.der")).doing("a question")?);
    }
    if all.is_empty() { Err(Failure::new("there is nothing to ask about")) } else { Ok(all) }
}

/// Asks, and holds the answer to be one.
fn answer(http: u16, question: &[u8]) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(("127.0.0.1", http)).doing("the listener without TLS")?;
    let head = format!(
        "POST /ocsp HTTP/1.1\r\nHost: portal.test\r\nContent-Type: application/ocsp-request\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        question.len()
    );
    stream.write_all(&[head.as_bytes(), question].concat()).doing("a question")?;
    let mut said = Vec::new();
    stream.read_to_end(&mut said).doing("an answer")?;
    // OCSPResponse of two octets of length, whose status is successful.
    let body = said.windows(4).position(|part| part == b"\r\n\r\n").map_or(&[][..], |at| &said[at + 4..]);
    let is_answer = said.starts_with(b"HTTP/1.1 200 ") && matches!(body, [0x30, 0x82, _, _, 0x0a, 1, 0, ..]);
    if is_answer { Ok(()) } else { Err(Failure::new(String::from_utf8_lossy(&said).into_owned())) }
}

/// Bytes of the whole list, and of its largest part.
fn lists(folder: &Path) -> Result<[u64; 2], Failure> {
    let whole = folder.join("own.crl").metadata().doing("the list")?.len();
    let all = std::fs::read_dir(folder).doing("the lists")?.flatten();
    let parts = all.filter(|one| one.file_name().to_string_lossy().matches('-').count() == 2);
    let largest = parts.filter_map(|one| Some(one.metadata().ok()?.len())).max();
    Ok([whole, largest.ok_or_else(|| Failure::new("the list has no parts"))?])
}

fn write(options: &ScaleOptions, report: &Report) -> Result<(), Failure> {
    let mut text = format!(
        "{} certificates, {} revoked, {:.0} MB of database\n",
        report.certificates,
        report.revoked,
        report.database as f64 / 1e6
    );
    let used = |used: &Used| {
        format!("{:.0} ms of processor time, {} MB at the most", used.processor_ms, used.peak_kb / 1000)
    };
    for (name, one) in &report.commands {
        text += &format!("{name}: {}\n", used(one));
    }
    text += &format!(
        "the list: {} kB whole, {} kB the largest of {PARTS} parts\n",
        report.list[0] / 1000,
        report.list[1] / 1000
    );
    let [whole, last] = &report.starts;
    text += &format!("start of the gate with the whole registry: {}\n", used(whole));
    text += &format!(
        "start of the gate with its last policy, {} MB: {}\n",
        report.last_policy / 1_000_000,
        used(last)
    );
    text += &format!("a revocation until the gate has it in force: {:.0} ms\n", report.revoke_ms);
    let [gate, responder] = report.ocsp_processor_us;
    let [median, late] = report.ocsp_us;
    text += &format!(
        "OCSP: {median:.0} us, 99 of 100 within {late:.0} us; processor time {gate:.0} us in the gate, {responder:.0} us in the process that answers\n"
    );
    let [gate, authority, responder] = report.resident_kb.map(|kb| kb / 1000);
    text += &format!(
        "resident: {gate} MB the gate, {authority} MB the authority, {responder} MB the process that answers"
    );
    println!("{text}");
    let out = options.out.clone().unwrap_or_else(|| "target/bench".into());
    std::fs::create_dir_all(&out).doing("the report's directory")?;
    let json = serde_json::to_vec_pretty(report).doing("the report")?;
    std::fs::write(out.join("scale.json"), json).doing("scale.json")
}
