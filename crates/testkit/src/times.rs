//! Fixed moments, so that no test depends on the day it runs.

use std::time::{SystemTime, UNIX_EPOCH};

use examiner::UnixTime;

/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// The fixed "now" of tests that hold their own clock: 2027-03-01T12:00:00Z.
pub const NOW: UnixTime = UnixTime(1_803_902_400);

/// The moment that `text` names, such as `2027-03-01T12:00:00Z` or `2027-03-01`; panics on anything else.
pub fn at(text: &str) -> UnixTime {
    UnixTime::parse(text).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// [`NOW`] moved by whole days (earlier where negative).
pub fn days(days: i64) -> UnixTime {
    NOW.plus(days * DAY)
}

/// The machine's clock, for tests against the real binary, which has no other.
pub fn clock() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    UnixTime(since.as_secs() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_now_is_the_moment_it_says() {
        assert_eq!(NOW, at("2027-03-01T12:00:00Z"));
        assert_eq!(days(-1), at("2027-02-28T12:00:00Z"));
    }
}
