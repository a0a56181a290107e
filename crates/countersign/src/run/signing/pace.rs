//! How many requests in a time: a store that fills steadily and is emptied by each.

use std::time::{Duration, Instant};

/// A pace.
#[derive(Debug)]
pub struct Pace {
    most: u32,
    each: Duration,
    left: u32,
    filled: Instant,
}

impl Pace {
    /// `most` at once, and one more after each time of `each`.
    pub fn new(most: u32, each: Duration, now: Instant) -> Self {
        Self { most, each, left: most, filled: now }
    }

    /// Whether one more may be done at `now`.
    pub fn allows(&mut self, now: Instant) -> bool {
        let times = now.saturating_duration_since(self.filled).as_nanos() / self.each.as_nanos().max(1);
        let times = u32::try_from(times).unwrap_or(u32::MAX);
        if times >= self.most - self.left {
            (self.left, self.filled) = (self.most, now);
        } else {
            self.left += times;
            self.filled += self.each * times;
        }
        let is_allowed = self.left > 0;
        self.left -= u32::from(is_allowed);
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_emptied_by_requests_and_filled_by_time() {
        let start = Instant::now();
        let mut pace = Pace::new(3, Duration::from_secs(10), start);
        let mut at = |seconds: u64| pace.allows(start + Duration::from_secs(seconds));
        assert_eq!([at(0), at(0), at(0), at(0)], [true, true, true, false]);
        assert_eq!([at(9), at(10), at(10)], [false, true, false]);
        assert_eq!([at(30), at(30), at(30)], [true, true, false]);
        // It holds no more than the most, however long nothing came.
        assert_eq!([at(9000), at(9000), at(9000), at(9000)], [true, true, true, false]);
    }
}
