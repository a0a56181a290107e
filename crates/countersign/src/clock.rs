//! The machine's clock: the one place where the program reads the time.

use std::time::{SystemTime, UNIX_EPOCH};

use examiner::UnixTime;

/// Now, in whole seconds; a clock before 1970 reads as 1970.
pub fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
