//! The checks before the lints of zlint and its certificates.
//!
//! The folder that `COUNTERSIGN_CORPORA` names holds them; the project keeps no copy. Without it the tests say what they
//! left out, and fail where `COUNTERSIGN_CORPORA_REQUIRED` is set. `zlint_table/coverage.tsv` says which of our checks
//! answer which lint; to cover one more, add a line.
#![allow(clippy::disallowed_methods)]

mod zlint_table;

use std::collections::{BTreeMap, BTreeSet};

use examiner::chain::{Chain, Examinee, SignedTimestamp};
use examiner::checks;
use examiner::profile::{PeerName, Profile};
use examiner::report::Severity;
use examiner::side::LogList;
use examiner::{Question, UnixTime, examine, examine_with, input, other};

use sha2::{Digest, Sha256};
use zlint_table::{Corpus, Coverage, coverage};

/// The least share of rows on which we agree, in percent.
const AGREEMENT: usize = 97;
/// How many lints are covered at the least.
const LINTS: usize = 330;

/// One certificate out of a file, looked at a second after it began.
fn question(chain: &Chain, profile: Profile) -> Question {
    let begin = chain.served.first().and_then(|first| first.not_before).unwrap_or_default();
    Question { profile: Some(profile), at: UnixTime(begin.seconds() + 1), host: None }
}

/// Whether a check is one of those that the bytes of one certificate decide. The corpus is made by hand, one fault a file
/// and little else like a real certificate, so that the rest have much to say of it; see the test of real ones.
fn in_areas(id: &str) -> bool {
    let areas = ["encoding", "validity", "names", "san"];
    checks::ALL.iter().any(|(area, checks)| areas.contains(area) && checks.iter().any(|check| check.id == id))
}

/// Whether one of the checks that answer a lint finds something.
fn finds(lint: &Coverage, der: &[u8]) -> bool {
    let chain = Chain::given(vec![Examinee::read(der)]);
    let report = examine_with(&lint.checks, &chain, &question(&chain, lint.profile));
    report.findings.iter().any(|finding| lint.concerns(finding))
}

#[test]
fn our_checks_agree_with_the_lints_they_cover() {
    let Some(corpus) = Corpus::load() else { return };
    let coverage = coverage();
    let mut agree = 0;
    let mut wrong = Vec::new();
    let mut covered = BTreeSet::new();
    for row in corpus.rows.iter().filter(|row| !row.needs_configuration) {
        let Some(lint) = coverage.get(&row.lint) else { continue };
        covered.insert(&row.lint);
        let expects = ["error", "warn", "notice"].contains(&row.expected.as_str());
        if finds(lint, corpus.der(&row.file)) == expects {
            agree += 1;
        } else {
            wrong.push((row.lint.as_str(), row.file.as_str(), row.expected.as_str()));
        }
    }
    let total = agree + wrong.len();
    println!("agreement with the lints: {agree} of {total} rows of {} lints", covered.len());
    println!("lints covered, with or without rows: {}", coverage.len());
    let told = zlint_table::otherwise();
    let mut unexplained = Vec::new();
    for (lint, file, expected) in &wrong {
        match told.iter().find(|(l, f, _)| l == lint && f == file) {
            Some((_, _, reason)) => println!("otherwise: {lint} {file} {expected}: {reason}"),
            None => unexplained.push(format!("{lint} {file} {expected}")),
        }
    }
    let stale = told.iter().filter(|(l, f, _)| !wrong.iter().any(|(lint, file, _)| l == lint && f == file));
    let stale: Vec<_> = stale.collect();
    assert!(
        unexplained.is_empty(),
        "otherwise than the lint says, without a reason:\n{}",
        unexplained.join("\n")
    );
    assert!(stale.is_empty(), "reasons for rows on which we agree: {stale:?}");
    assert!(coverage.len() >= LINTS, "{} lints", coverage.len());
    assert!(total > 0 && agree * 100 >= total * AGREEMENT, "{agree} of {total}");
}

#[test]
fn certificates_that_no_lint_objects_to_have_no_error() {
    let Some(corpus) = Corpus::load() else { return };
    let objected: BTreeSet<&str> = corpus
        .rows
        .iter()
        .filter(|row| ["error", "warn", "notice"].contains(&row.expected.as_str()))
        .map(|row| row.file.as_str())
        .collect();
    let mut alarms: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut looked_at = 0;
    for (file, der) in corpus.certificates.iter().filter(|(file, _)| !objected.contains(file.as_str())) {
        if !corpus.rows.iter().any(|row| row.file == *file) {
            continue;
        }
        looked_at += 1;
        let certificate = Examinee::read(der.as_slice());
        // Mail, code and documents are signed by clients, as far as our profiles go.
        let is_server = certificate.is_issuer() || certificate.known.extended_key_usage.is_absent();
        let is_server = is_server || certificate.has_purpose("1.3.6.1.5.5.7.3.1");
        let profile = if is_server { Profile::Rfc5280 } else { Profile::MtlsClient };
        let chain = Chain::given(vec![certificate]);
        let report = examine(&chain, &question(&chain, profile));
        let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
        for finding in errors.filter(|finding| in_areas(finding.id)) {
            alarms.entry(finding.id).or_default().insert(file);
        }
    }
    println!("looked at {looked_at} certificates that no lint objects to");
    let mut wrong = Vec::new();
    for (id, files) in &alarms {
        let right =
            zlint_table::RIGHT_ALARMS.iter().find(|(right, ..)| right == id).map_or(0, |(_, n, _)| *n);
        if files.len() > right {
            wrong.push(format!("{id}: {} files, {right} are right: {files:?}", files.len()));
        }
    }
    assert!(wrong.is_empty(), "errors where no lint has one:\n{}", wrong.join("\n"));
}

#[test]
fn real_certificates_of_the_public_web_have_no_error() {
    let Some(cases) = zlint_table::real_chains() else { return };
    let mut wrong = Vec::new();
    for (name, host, at, certificates) in &cases {
        let chain = Chain::served(certificates.iter().map(|der| Examinee::read(der.as_slice())).collect());
        let host = Some(PeerName::host(host));
        let report = examine(&chain, &Question { profile: Some(Profile::Web), at: *at, host });
        let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
        wrong.extend(
            errors.map(|error| format!("{name}: {} at {}: {}", error.id, error.index, error.observed)),
        );
    }
    println!("looked at {} chains of real sites", cases.len());
    assert!(!cases.is_empty() && wrong.is_empty(), "errors in chains of real sites:\n{}", wrong.join("\n"));
}

/// Two logs of Google's, as their operator publishes them.
const LOGS: &str = r#"{ "log_list_timestamp": "2026-03-01T00:00:00Z", "operators": [{ "name": "Google", "logs": [
  { "description": "Argon2026h1", "state": { "usable": { "timestamp": "2024-01-01T00:00:00Z" } },
    "log_id": "DleUvPOuqT4zGyyZB7P3kN+bwj1xMiXdIaklrGHFTiE=",
    "key": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEB/we6GOO/xwxivy4HhkrYFAAPo6e2nc346Wo2o2U+GvoPWSPJz91s/xrEvA3Bk9kWHUUXVZS5morFEzsgdHqPg==" },
  { "description": "Argon2026h2", "state": { "usable": { "timestamp": "2024-01-01T00:00:00Z" } },
    "log_id": "1219ENGn9XfCx+lf1wC/+YLJM1pl4dCzAXMXwMjFaXc=",
    "key": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKjpni/66DIYrSlGK6Rf+e6F2c/28ZUvDJ79N81+gyimAESAyeNZ++TRgjHWg9TVQnKHTSU0T1TtqDupFnSQTIg==" }
]}]}"#;

#[test]
fn the_timestamps_of_real_certificates_are_signed_by_their_logs() {
    let Some(cases) = zlint_table::real_chains() else { return };
    let logs: LogList = serde_json::from_str(LOGS).unwrap();
    let (mut verified, mut refused) = (0, 0);
    for (name, _, _, certificates) in &cases {
        let (leaf, issuer) =
            (Examinee::read(certificates[0].as_slice()), Examinee::read(certificates[1].as_slice()));
        assert_eq!(leaf.issuer_der(), issuer.subject_der(), "{name}");
        let key: [u8; 32] = Sha256::digest(issuer.fields().spki.unwrap().element.bytes()).into();
        for stamp in SignedTimestamp::embedded(&leaf).unwrap().unwrap() {
            let Some(log) = logs.log(&stamp.log) else { continue };
            let holds = |message: &[u8]| log.verifies(stamp.algorithm, message, &stamp.signature);
            verified += usize::from(holds(&stamp.signed_of_precertificate(&leaf, &key).unwrap()));
            refused += usize::from(!holds(&stamp.signed_of_precertificate(&leaf, &[0; 32]).unwrap()));
        }
    }
    println!("{verified} timestamps of real certificates verify");
    assert!(verified >= 3 && refused == verified, "{verified} verify, {refused} do not for another issuer");
}

#[test]
fn nothing_panics_on_damaged_certificates() {
    let Some(corpus) = Corpus::load() else { return };
    let every = if std::env::var_os("COUNTERSIGN_LONG").is_some() { 1 } else { 20 };
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    let look = |der: &[u8]| {
        let chain = Chain::given(vec![Examinee::read(der)]);
        for profile in Profile::ALL {
            examine(&chain, &question(&chain, profile));
        }
    };
    // Whatever a file holds, as someone would give it: each part is read, and each certificate among them.
    let open = |file: &[u8]| {
        let input = input::read(file);
        input.others.iter().for_each(|other| drop(other::look(other, &[], UnixTime(1_777_593_600))));
        input.certificates.iter().for_each(|der| drop(Examinee::read(der.as_slice())));
    };
    let mut damage = |whole: &[u8], look: &dyn Fn(&[u8])| {
        look(whole);
        for i in 0..20 {
            look(&whole[..whole.len() * i / 20]);
        }
        for _ in 0..50 {
            let mut damaged = whole.to_vec();
            damaged[random(whole.len())] = u8::try_from(random(256)).unwrap();
            look(&damaged);
        }
    };
    let certificates = corpus.certificates.values().step_by(every);
    let (mut of_certificates, mut of_files) = (0, 0);
    for der in certificates.filter(|der| !der.is_empty()) {
        damage(der, &look);
        of_certificates += 1;
    }
    for file in corpus.files.values().step_by(every) {
        damage(file, &open);
        // What is no certificate is damaged below its armour too: its DER, as the file's only contents.
        for other in input::read(file).others.iter().filter(|other| !other.der.is_empty()) {
            damage(&other.der, &open);
        }
        of_files += 1;
    }
    println!("{of_certificates} certificates and {of_files} files, each also cut off and changed 70 times");
    assert!(corpus.files.len() >= 1_384, "{} files", corpus.files.len());
}

#[test]
fn every_lint_is_covered_or_left_out_with_a_reason() {
    let Some(lints) = zlint_table::lints() else { return };
    let (covered, left_out) = (zlint_table::names(), zlint_table::left_out());
    let mut used: BTreeSet<&str> = BTreeSet::new();
    let mut open = Vec::new();
    for (lint, package) in &lints {
        let reasons: Vec<&str> =
            [lint, package].into_iter().filter_map(|one| left_out.get(&**one).copied()).collect();
        match (covered.contains_key(lint), reasons.as_slice()) {
            (false, []) => open.push(lint.as_str()),
            (true, _) => {}
            (false, reasons) => used.extend(reasons),
        }
    }
    assert!(open.is_empty(), "neither covered nor left out: {open:?}");
    let idle: Vec<_> = left_out.iter().filter(|one| !used.contains(*one)).collect();
    assert!(idle.is_empty(), "reasons for what is covered, or is no lint: {idle:?}");
    let strange: Vec<_> =
        covered.keys().filter(|lint| !lints.iter().any(|(name, _)| name == *lint)).collect();
    assert!(strange.is_empty(), "no lints: {strange:?}");
}

#[test]
fn the_table_names_lints_and_checks() {
    for (lint, checks) in zlint_table::names() {
        assert!(!checks.is_empty(), "{lint} has no check");
        for check in &checks {
            let right = check.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            assert!(right, "{lint}: {check}");
        }
    }
    assert!(checks::all().count() > 0);
}
