//! Fixtures of the checks in `checks/transparency`.

use aws_lc_rs::digest::{SHA256, digest};

use super::*;
use crate::support::spec::sign;

const LIST: &str = "1.3.6.1.4.1.11129.2.4.2";
/// 2026-04-01T00:00:00Z, in milliseconds.
const FIRST_DAY: u64 = 1_775_001_600_000;
const DAY: u64 = 86_400_000;

/// A log: what signs for it, its key, and what its list says of it.
struct Log {
    key: &'static [u8],
    spki: &'static [u8],
    operator: &'static str,
    state: &'static str,
    is_tiled: bool,
}

const ONE: Log =
    Log { key: OTHER_KEY, spki: OTHER_SPKI, operator: "Operator One", state: USABLE, is_tiled: false };
const TWO: Log = Log { key: ROOT_KEY, spki: ROOT_SPKI, operator: "Operator Two", ..ONE };
const USABLE: &str = r#"{"usable": {"timestamp": "2025-01-01T00:00:00Z"}}"#;
const RETIRED: &str = r#"{"retired": {"timestamp": "2026-03-01T00:00:00Z"}}"#;

/// A list of these logs, made at this moment.
fn list(made: &str, logs: &[&Log]) -> String {
    let one = |log: &Log| {
        let base64 = |bytes: &[u8]| data_encoding::BASE64.encode(bytes);
        let id = base64(digest(&SHA256, log.spki).as_ref());
        let (key, state) = (base64(log.spki), log.state);
        let log = format!(
            "{{\"description\": \"{} 2026\", \"log_id\": \"{id}\", \"key\": \"{key}\", \"state\": {state}}}",
            log.operator
        );
        log
    };
    let operators = logs.iter().map(|log| {
        let kind = if log.is_tiled { "tiled_logs" } else { "logs" };
        format!("{{\"name\": \"{}\", \"{kind}\": [{}]}}", log.operator, one(log))
    });
    format!(
        "{{\"log_list_timestamp\": \"{made}\", \"operators\": [{}]}}",
        operators.collect::<Vec<_>>().join(", ")
    )
}

/// The timestamp of a log for this certificate.
fn stamp(spec: &CertificateSpec, log: &Log, millis: u64) -> Vec<u8> {
    let mut without = spec.clone();
    without.remove(LIST);
    let tbs = without.tbs();
    let mut signed = vec![0, 0];
    signed.extend(millis.to_be_bytes());
    signed.extend([0, 1]);
    signed.extend(digest(&SHA256, ISSUING_SPKI).as_ref());
    signed.extend(&(tbs.len() as u32).to_be_bytes()[1..]);
    signed.extend(tbs);
    signed.extend([0, 0]);
    signed_stamp(log, millis, &sign(log.key, &signed))
}

fn signed_stamp(log: &Log, millis: u64, signature: &[u8]) -> Vec<u8> {
    let mut one = vec![0];
    one.extend(digest(&SHA256, log.spki).as_ref());
    one.extend(millis.to_be_bytes());
    one.extend([0, 0, 4, 1]);
    one.extend((signature.len() as u16).to_be_bytes());
    one.extend(signature);
    one
}

/// Bytes behind their length.
fn vector(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

/// Puts these timestamps into the certificate.
fn put(spec: &mut CertificateSpec, stamps: &[Vec<u8>]) {
    let all: Vec<u8> = stamps.iter().flat_map(|one| vector(one)).collect();
    spec.extension(LIST).value = octets(&vector(&all));
}

/// A chain whose end-entity certificate has a timestamp of each of these logs.
fn stamped(logs: &[(&Log, u64)]) -> Case {
    chain(|leaf, _, _| {
        let stamps: Vec<Vec<u8>> = logs.iter().map(|(log, millis)| stamp(leaf, log, *millis)).collect();
        put(leaf, &stamps);
    })
}

/// The timestamp of a log for a certificate that has none in itself.
fn stamp_of_all(der: &[u8], log: &Log, millis: u64) -> Vec<u8> {
    let mut signed = vec![0, 0];
    signed.extend(millis.to_be_bytes());
    signed.extend([0, 0]);
    signed.extend(&(der.len() as u32).to_be_bytes()[1..]);
    signed.extend(der);
    signed.extend([0, 0]);
    signed_stamp(log, millis, &sign(log.key, &signed))
}

/// A certificate without timestamps of a server that sends one of each of these logs, each made for what `saw` makes of
/// the certificate.
fn sent(logs: &[&Log], saw: impl Fn(Vec<u8>) -> Vec<u8>) -> Case {
    let mut der = Vec::new();
    let case = chain(|leaf, _, _| {
        leaf.remove(LIST);
        der = leaf.build();
    });
    let der = saw(der);
    let all: Vec<u8> = logs.iter().flat_map(|log| vector(&stamp_of_all(&der, log, FIRST_DAY))).collect();
    case.sends_timestamps(vector(&all))
}

pub fn all() -> Vec<Recipe> {
    [without_list(), with_list()].concat()
}

fn without_list() -> Vec<Recipe> {
    let bare = || chain(|leaf, _, _| leaf.remove(LIST));
    let long = |stamps: &'static [(&'static Log, u64)]| {
        chain(|leaf, _, _| {
            // 181 days.
            leaf.dates("260401000000Z", "260928235959Z");
            let stamps: Vec<Vec<u8>> = stamps.iter().map(|(log, millis)| stamp(leaf, log, *millis)).collect();
            put(leaf, &stamps);
        })
    };
    let poisoned = |has_timestamps: bool| {
        chain(|leaf, _, _| {
            leaf.set(critical("1.3.6.1.4.1.11129.2.4.3", vec![5, 0]));
            if !has_timestamps {
                leaf.remove(LIST);
            }
        })
    };
    const BOTH: &[(&Log, u64)] = &[(&ONE, FIRST_DAY), (&TWO, FIRST_DAY)];
    vec![
        pass("sct-none", "in-the-handshake", sent(&[&ONE, &TWO], |der| der)),
        pass("sct-none", "nobody-looked", bare()),
        fail("sct-none", "nowhere", bare().sends_timestamps(Vec::new())),
        pass("precert-served-as-certificate", "whole", chain(|_, _, _| {})),
        fail("precert-served-as-certificate", "for-the-logs", poisoned(false)),
        fail("precert-served-as-certificate", "with-timestamps", poisoned(true)),
        pass("sct-list-empty-or-malformed", "two", stamped(BOTH)),
        fail("sct-list-empty-or-malformed", "empty", chain(|leaf, _, _| put(leaf, &[]))),
        fail(
            "sct-list-empty-or-malformed",
            "cut",
            chain(|leaf, _, _| {
                let mut one = stamp(leaf, &ONE, FIRST_DAY);
                one.pop();
                put(leaf, &[one]);
            }),
        ),
        pass("sct-too-few-for-lifetime", "two", stamped(BOTH)),
        pass("sct-too-few-for-lifetime", "two-in-the-handshake", sent(&[&ONE, &TWO], |der| der)),
        fail("sct-too-few-for-lifetime", "one-in-the-handshake", sent(&[&ONE], |der| der)),
        fail("sct-too-few-for-lifetime", "one", stamped(&[(&ONE, FIRST_DAY)])),
        fail("sct-too-few-for-lifetime", "one-log-twice", stamped(&[(&ONE, FIRST_DAY), (&ONE, FIRST_DAY)])),
        fail("sct-too-few-for-lifetime", "181-days", long(BOTH)),
        pass("sct-timestamp-future-or-after-expiry", "before", stamped(BOTH)),
        pass(
            "sct-timestamp-future-or-after-expiry",
            "this-second",
            stamped(&[(&ONE, FIRST_DAY + 30 * DAY), (&TWO, FIRST_DAY)]),
        ),
        fail(
            "sct-timestamp-future-or-after-expiry",
            "next-second",
            stamped(&[(&ONE, FIRST_DAY + 30 * DAY + 1000), (&TWO, FIRST_DAY)]),
        ),
        fail(
            "sct-timestamp-future-or-after-expiry",
            "after-its-end",
            stamped(&[(&ONE, FIRST_DAY + 90 * DAY), (&TWO, FIRST_DAY)]),
        ),
    ]
}

fn with_list() -> Vec<Recipe> {
    const BOTH: &[(&Log, u64)] = &[(&ONE, FIRST_DAY), (&TWO, FIRST_DAY)];
    const MADE: &str = "2026-04-20T00:00:00Z";
    let listed = |logs: &[&Log]| stamped(BOTH).log_list(&list(MADE, logs));
    let retired = Log { state: RETIRED, ..TWO };
    let both = list(MADE, &[&ONE, &TWO]);
    let another = |mut der: Vec<u8>| {
        der.pop();
        der
    };
    let old = |day: &str| stamped(BOTH).log_list(&list(day, &[&ONE]));
    let forged = chain(|leaf, _, _| {
        let stamps = [stamp(leaf, &ONE, FIRST_DAY), stamp(leaf, &TWO, FIRST_DAY)];
        // Another certificate than the logs saw.
        leaf.extension("2.5.29.17").value =
            san(&[dns("www.example.com"), dns("www.example.com.example.net")]);
        put(leaf, &stamps);
    });
    vec![
        pass("sct-log-unknown-or-retired", "known", listed(&[&ONE, &TWO])),
        pass("sct-log-unknown-or-retired", "no-list", stamped(BOTH)),
        // 2026-05-01 is 70 days after the first, 71 after the second.
        fail("sct-log-unknown-or-retired", "unknown", old("2026-02-20T00:00:00Z")),
        pass("sct-log-unknown-or-retired", "old-list", old("2026-02-19T00:00:00Z")),
        fail("sct-log-unknown-or-retired", "retired", listed(&[&ONE, &retired])),
        pass("sct-operators-not-diverse", "two", listed(&[&ONE, &TWO])),
        fail("sct-operators-not-diverse", "one", listed(&[&ONE, &Log { operator: "Operator One", ..TWO }])),
        pass("sct-signature-invalid", "signed", listed(&[&ONE, &TWO])),
        pass("sct-signature-invalid", "in-the-handshake", sent(&[&ONE, &TWO], |der| der).log_list(&both)),
        fail("sct-signature-invalid", "handshake-for-another", sent(&[&ONE, &TWO], another).log_list(&both)),
        fail("sct-signature-invalid", "for-another", forged.log_list(&list(MADE, &[&ONE, &TWO]))),
        pass("static-ct-log-entries", "one-of-each", listed(&[&ONE, &Log { is_tiled: true, ..TWO }])),
        fail(
            "static-ct-log-entries",
            "tiles-alone",
            listed(&[&Log { is_tiled: true, ..ONE }, &Log { is_tiled: true, ..TWO }]),
        ),
    ]
}
