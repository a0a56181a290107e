//! When a gate tells the registry next how far it has come, where nothing changes meanwhile.

use std::time::{Duration, Instant};

/// How often a gate says that it is there when nothing changes.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The pause after the first receipt that could not be stored. Each further one in a row is twice as long, up to the
/// heartbeat.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// The last receipt, and how many in a row could not be stored.
#[derive(Debug)]
pub struct Receipts {
    at: Instant,
    failures: u32,
}

impl Receipts {
    /// One was stored at `now`.
    pub fn begin(now: Instant) -> Self {
        Self { at: now, failures: 0 }
    }

    /// Whether the next is due at `now`.
    pub fn due(&self, now: Instant) -> bool {
        now.duration_since(self.at) > self.pause()
    }

    /// One was sent at `now`, and `stored` or not.
    pub fn sent(&mut self, now: Instant, stored: bool) {
        self.at = now;
        self.failures = if stored { 0 } else { self.failures.saturating_add(1) };
    }

    fn pause(&self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(31);
        match self.failures {
            0 => HEARTBEAT,
            _ => FIRST_RETRY.saturating_mul(1 << doublings).min(HEARTBEAT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: Duration = Duration::from_millis(1);

    #[test]
    fn a_stored_receipt_is_followed_by_one_after_the_heartbeat() {
        let now = Instant::now();
        let receipts = Receipts::begin(now);
        assert!(!receipts.due(now + HEARTBEAT));
        assert!(receipts.due(now + HEARTBEAT + LATER));
    }

    #[test]
    fn one_that_could_not_be_stored_is_tried_again_after_a_second_then_later_and_later() {
        let mut now = Instant::now();
        let mut receipts = Receipts::begin(now);
        for pause in [1, 2, 4, 8, 15, 15].map(Duration::from_secs) {
            receipts.sent(now, false);
            assert!(!receipts.due(now + pause), "{pause:?}");
            now += pause + LATER;
            assert!(receipts.due(now), "{pause:?}");
        }
        receipts.sent(now, true);
        assert!(!receipts.due(now + HEARTBEAT), "a stored one ends the retries");
        receipts.sent(now, false);
        assert!(receipts.due(now + FIRST_RETRY + LATER), "they begin anew");
    }

    #[test]
    fn a_registry_that_is_away_for_years_overflows_nothing() {
        let now = Instant::now();
        let receipts = Receipts { at: now, failures: u32::MAX };
        assert!(receipts.due(now + HEARTBEAT + LATER));
    }
}
