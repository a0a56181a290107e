//! The list of the logs of certificate transparency, in the form in which browsers publish it: JSON, version 3.
//!
//! What is read of it: `log_list_timestamp`; of each operator `name`, `logs` (RFC 6962) and `tiled_logs` (static-ct-api);
//! of each log `description`, `log_id`, `key`, `state` and `previous_operators`. The rest is passed over. A log that is
//! not what it ought to be fails the whole list: half a list would call good timestamps unknown.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;

use crate::cert::UnixTime;
use crate::cert::tlv::{Budget, read};
use crate::chain::{Algorithm, Field, Key, Place};
use crate::path::signature;

/// After how many days a list of logs is told to be old: after as many Chrome no longer goes by its own.
pub const LOGS_OLD_AFTER_DAYS: i64 = 70;

/// The logs that a browser knows.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "ListFile")]
pub struct LogList {
    /// When the list was made.
    pub made: UnixTime,
    logs: HashMap<[u8; 32], Log>,
}

/// One log.
#[derive(Clone, Debug)]
pub struct Log {
    /// What its operator calls it.
    pub name: String,
    /// How far it is to be trusted.
    pub state: LogState,
    /// Whether it is read as tiles (static-ct-api) and not by RFC 6962.
    pub is_tiled: bool,
    key: Key,
    operator: String,
    /// Who operated it before, and until when, the earliest first.
    before: Vec<(UnixTime, String)>,
}

/// How far a log is to be trusted, in its list's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogState {
    /// Not yet.
    Pending,
    /// Taken by new clients.
    Qualified,
    /// Taken.
    Usable,
    /// Taken; it takes no certificates any more.
    ReadOnly,
    /// What it signed before this moment counts; nothing after it.
    Retired(UnixTime),
    /// Not, whatever it signed.
    Rejected,
}

/// A list that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogListError {
    /// It has no logs at all.
    #[error("the list names no log")]
    Empty,
    /// A moment is none.
    #[error("`{0}` is no moment such as 2026-05-01T00:00:00Z")]
    Moment(String),
    /// A log's key cannot be read.
    #[error("the key of the log `{0}` is no public key in base64")]
    Key(String),
    /// A log's identifier is not the hash of its key.
    #[error("the log_id of the log `{0}` is not the SHA-256 of its key")]
    Id(String),
}

impl LogList {
    /// The log with this identifier.
    pub fn log(&self, id: &[u8; 32]) -> Option<&Log> {
        self.logs.get(id)
    }
}

impl Log {
    /// Whether clients that go by the list count a timestamp of this moment.
    pub fn counts(&self, made: UnixTime) -> bool {
        match self.state {
            LogState::Qualified | LogState::Usable | LogState::ReadOnly => true,
            LogState::Retired(since) => made < since,
            LogState::Pending | LogState::Rejected => false,
        }
    }

    /// Whether it is trusted still: of the timestamps of a certificate one at least is of such a log.
    pub fn is_current(&self) -> bool {
        matches!(self.state, LogState::Qualified | LogState::Usable | LogState::ReadOnly)
    }

    /// Who operated it at this moment.
    pub fn operator(&self, made: UnixTime) -> &str {
        self.before.iter().find(|(until, _)| made < *until).map_or(&self.operator, |(_, name)| name)
    }

    /// Whether its key verifies a signature, whose algorithm has the numbers of RFC 5246 section 7.4.1.4.1. Logs sign by
    /// ECDSA on P-256 or by RSA, with SHA-256 (RFC 6962 section 2.1.4).
    pub fn verifies(&self, algorithm: [u8; 2], message: &[u8], signature: &[u8]) -> bool {
        let oid = match algorithm {
            [4, 3] => "1.2.840.10045.4.3.2",
            [4, 1] => "1.2.840.113549.1.1.11",
            _ => return false,
        };
        let algorithm = Algorithm { oid: oid.into(), parameters: None, place: Place::new("", 0..0) };
        signature::verifies(&self.key, &algorithm, message, signature)
    }
}

#[derive(Deserialize)]
struct ListFile {
    log_list_timestamp: String,
    operators: Vec<OperatorFile>,
}

#[derive(Deserialize)]
struct OperatorFile {
    name: String,
    #[serde(default)]
    logs: Vec<LogFile>,
    #[serde(default)]
    tiled_logs: Vec<LogFile>,
}

#[derive(Deserialize)]
struct LogFile {
    #[serde(default)]
    description: String,
    log_id: String,
    key: String,
    state: Option<StateFile>,
    #[serde(default)]
    previous_operators: Vec<PreviousFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum StateFile {
    Pending {},
    Qualified {},
    Usable {},
    ReadOnly {},
    Retired { timestamp: String },
    Rejected {},
}

#[derive(Deserialize)]
struct PreviousFile {
    name: String,
    end_time: String,
}

impl TryFrom<ListFile> for LogList {
    type Error = LogListError;

    fn try_from(file: ListFile) -> Result<Self, LogListError> {
        let mut logs = HashMap::new();
        for operator in file.operators {
            let both = [(operator.logs, false), (operator.tiled_logs, true)];
            for (log, is_tiled) in
                both.into_iter().flat_map(|(all, tiled)| all.into_iter().map(move |l| (l, tiled)))
            {
                let (id, log) = log.read(&operator.name, is_tiled)?;
                logs.insert(id, log);
            }
        }
        if logs.is_empty() {
            return Err(LogListError::Empty);
        }
        Ok(Self { made: moment(&file.log_list_timestamp)?, logs })
    }
}

impl LogFile {
    fn read(self, operator: &str, is_tiled: bool) -> Result<([u8; 32], Log), LogListError> {
        let name = if self.description.is_empty() { self.log_id.clone() } else { self.description };
        let decode = |text: &str| data_encoding::BASE64.decode(text.as_bytes()).ok();
        let der = decode(&self.key).ok_or_else(|| LogListError::Key(name.clone()))?;
        let key = public_key(&der).ok_or_else(|| LogListError::Key(name.clone()))?;
        let id: [u8; 32] =
            digest(&SHA256, &der).as_ref().try_into().map_err(|_| LogListError::Id(name.clone()))?;
        if decode(&self.log_id).as_deref() != Some(&id) {
            return Err(LogListError::Id(name));
        }
        let mut before = Vec::new();
        for one in self.previous_operators {
            before.push((moment(&one.end_time)?, one.name));
        }
        before.sort();
        let state = match self.state {
            // A log without a state is not taken yet.
            None | Some(StateFile::Pending {}) => LogState::Pending,
            Some(StateFile::Qualified {}) => LogState::Qualified,
            Some(StateFile::Usable {}) => LogState::Usable,
            Some(StateFile::ReadOnly {}) => LogState::ReadOnly,
            Some(StateFile::Retired { timestamp }) => LogState::Retired(moment(&timestamp)?),
            Some(StateFile::Rejected {}) => LogState::Rejected,
        };
        Ok((id, Log { name, state, is_tiled, key, operator: operator.to_owned(), before }))
    }
}

fn moment(text: &str) -> Result<UnixTime, LogListError> {
    UnixTime::parse(text).map_err(|_| LogListError::Moment(text.to_owned()))
}

fn public_key(der: &[u8]) -> Option<Key> {
    let tree = read(der.into(), Budget::default());
    let element = tree.root()?;
    Key::of(&Field { element, place: Place::new("key", element.range()) }, &tree)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::{Value, json};

    use super::*;

    /// The head of a subjectPublicKeyInfo on P-256.
    const P256: [u8; 26] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
        0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];

    fn pair() -> (EcdsaKeyPair, Vec<u8>) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let spki = [&P256[..], pair.public_key().as_ref()].concat();
        (pair, spki)
    }

    fn id(spki: &[u8]) -> [u8; 32] {
        digest(&SHA256, spki).as_ref().try_into().unwrap()
    }

    fn list(spki: &[u8]) -> Value {
        let base64 = |bytes: &[u8]| data_encoding::BASE64.encode(bytes);
        json!({
            "version": "55.1", "log_list_timestamp": "2026-11-01T12:00:00Z", "unknown": {},
            "operators": [{ "name": "Example", "email": ["ct@example.com"], "logs": [{
                "description": "Example 2027h1", "log_id": base64(&id(spki)), "key": base64(spki), "mmd": 86400,
                "url": "https://ct.example.com/", "state": { "usable": { "timestamp": "2025-01-01T00:00:00Z" } },
                "previous_operators": [{ "name": "Elder", "end_time": "2026-02-01T00:00:00Z" }],
            }], "tiled_logs": [] }],
        })
    }

    fn read_list(list: &Value) -> Result<LogList, String> {
        serde_json::from_str(&list.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_is_read_and_its_logs_verify() {
        let (pair, spki) = pair();
        let list = read_list(&list(&spki)).unwrap();
        assert_eq!(list.made.to_string(), "2026-11-01T12:00:00Z");
        let log = list.log(&id(&spki)).unwrap();
        assert!((log.name.as_str(), log.is_tiled, log.state) == ("Example 2027h1", false, LogState::Usable));
        let signature = pair.sign(&SystemRandom::new(), b"what was signed").unwrap();
        assert!(log.verifies([4, 3], b"what was signed", signature.as_ref()));
        assert!(!log.verifies([4, 3], b"what was not", signature.as_ref()));
        assert!(!log.verifies([4, 1], b"what was signed", signature.as_ref()));
        assert!(!log.verifies([2, 3], b"what was signed", signature.as_ref()));
        assert!(list.log(&[0; 32]).is_none());
    }

    #[test]
    fn a_log_has_the_operator_of_the_day() {
        let (_, spki) = pair();
        let list = read_list(&list(&spki)).unwrap();
        let at = |text: &str| list.log(&id(&spki)).unwrap().operator(UnixTime::parse(text).unwrap());
        assert_eq!(at("2026-01-31T23:59:59Z"), "Elder");
        assert_eq!(at("2026-02-01T00:00:00Z"), "Example");
    }

    #[test]
    fn what_a_retired_log_signed_before_that_counts_and_nothing_after() {
        let (_, spki) = pair();
        let mut file = list(&spki);
        let mut with = |state: Value| {
            file["operators"][0]["logs"][0]["state"] = state;
            read_list(&file).unwrap().log(&id(&spki)).unwrap().clone()
        };
        let retired = with(json!({ "retired": { "timestamp": "2026-06-01T00:00:00Z" } }));
        let counts = |log: &Log, text: &str| log.counts(UnixTime::parse(text).unwrap());
        assert!(counts(&retired, "2026-05-31T23:59:59Z") && !counts(&retired, "2026-06-01T00:00:00Z"));
        assert!(!retired.is_current());
        let tree_head = json!({ "sha256_root_hash": "", "tree_size": 1 });
        let frozen = with(
            json!({ "readonly": { "timestamp": "2026-06-01T00:00:00Z", "final_tree_head": tree_head } }),
        );
        assert!(counts(&frozen, "2026-06-01T00:00:00Z") && frozen.is_current());
        for state in [
            json!({ "pending": { "timestamp": "2026-06-01T00:00:00Z" } }),
            json!(null),
            json!({ "rejected": {} }),
        ] {
            let log = with(state);
            assert!(!counts(&log, "2026-01-01T00:00:00Z") && !log.is_current());
        }
    }

    #[test]
    fn a_list_that_is_not_whole_is_refused() {
        let (_, spki) = pair();
        let with = |change: &dyn Fn(&mut Value)| {
            let mut file = list(&spki);
            change(&mut file);
            read_list(&file).unwrap_err()
        };
        let log =
            |file: &mut Value, field: &str, value: Value| file["operators"][0]["logs"][0][field] = value;
        for (told, why) in [
            (with(&|file| log(file, "key", json!("%"))), "is no public key"),
            (with(&|file| log(file, "key", json!("AAAA"))), "is no public key"),
            (with(&|file| log(file, "log_id", json!("AAAA"))), "is not the SHA-256"),
            (with(&|file| log(file, "state", json!({ "beloved": {} }))), "unknown variant"),
            (with(&|file| file["log_list_timestamp"] = json!("today")), "is no moment"),
            (with(&|file| file["operators"] = json!([])), "names no log"),
            (with(&|file| drop(file.as_object_mut().unwrap().remove("operators"))), "missing field"),
        ] {
            assert!(told.contains(why), "{told}");
        }
    }
}
