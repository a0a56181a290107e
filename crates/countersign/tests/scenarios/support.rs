//! What every scenario needs: the binary, and a look at the log.

use serde_json::Value;
use testkit::{Binary, Portal};

pub use testkit::eventually;

/// The binary under test.
pub fn binary() -> Binary {
    Binary::new(env!("CARGO_BIN_EXE_countersign"))
}

/// The log entries with this code, waiting for the first.
#[track_caller]
pub fn log_with_code(portal: &Portal, code: &str) -> Vec<Value> {
    eventually(&format!("a log entry {code}"), || {
        let all = portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().json();
        let found: Vec<Value> =
            all.as_array()?.iter().filter(|entry| entry["code"] == code).cloned().collect();
        (!found.is_empty()).then_some(found)
    })
}

/// The pending entries, waiting for the first.
#[track_caller]
pub fn pending(portal: &Portal) -> Vec<Value> {
    eventually("a pending entry", || {
        let all = portal.countersign(&["pending", "list", "--json"]).ok().json();
        Some(all.as_array()?.clone()).filter(|all| !all.is_empty())
    })
}
