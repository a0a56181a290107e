//! What every scenario needs: the binary, and a look at the log.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use testkit::{Binary, Portal};

pub use testkit::eventually;

/// The binary under test.
pub fn binary() -> Binary {
    Binary::new(env!("CARGO_BIN_EXE_countersign"))
}

/// The browser's managed policy, for one test at a time: of two files that say the same, it takes one.
pub fn browser_policy() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
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
