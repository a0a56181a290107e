//! Waiting for what another process does in its own time, and for async work.

use std::time::{Duration, Instant};

/// Ends a hang; promises nothing about how soon something happens.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until `found` answers; panics with `what` after a minute.
#[track_caller]
pub fn eventually<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(start.elapsed() < PATIENCE, "never seen: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Runs async work on this thread.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}
