//! How many requests in a time: a store that fills steadily and is emptied by each.
//!
//! Certificates have two: one of the party that gets them and, behind it, one of all. So who asks in a loop uses up what
//! is their own, and nothing of what the others have.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use policy::PartyName;

use super::issue::Refused;
use super::protocol::Refusal;

/// So many certificates at once, and one more in each such time: of a party, and of all together.
const OF_A_PARTY: (u32, Duration) = (20, Duration::from_secs(2));
const OF_ALL: (u32, Duration) = (100, Duration::from_millis(100));
/// So many requests for certificates may come to nothing at once, and one more in each such time: above that none is
/// looked at. Through the gate nobody gets there, since it has a pace for each party as well; what has the gate's place
/// could.
const IN_VAIN: (u32, Duration) = (200, Duration::from_millis(50));
/// Above so many parties those who are at rest are let go.
const PARTIES: usize = 1024;

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
    pub fn new((most, each): (u32, Duration), now: Instant) -> Self {
        Self { most, each, left: most, filled: now }
    }

    /// Whether one more may be done at `now`; it counts as done.
    pub fn allows(&mut self, now: Instant) -> bool {
        self.fill(now);
        let is_allowed = self.left > 0;
        self.left -= u32::from(is_allowed);
        is_allowed
    }

    /// How many may be done at `now`.
    fn left(&mut self, now: Instant) -> u32 {
        self.fill(now);
        self.left
    }

    fn fill(&mut self, now: Instant) {
        let times = now.saturating_duration_since(self.filled).as_nanos() / self.each.as_nanos().max(1);
        let times = u32::try_from(times).unwrap_or(u32::MAX);
        if times >= self.most - self.left {
            (self.left, self.filled) = (self.most, now);
        } else {
            self.left += times;
            self.filled += self.each * times;
        }
    }
}

/// The paces of certificates.
#[derive(Debug)]
pub struct Certificates {
    parties: HashMap<PartyName, Pace>,
    all: Pace,
    in_vain: Pace,
}

impl Certificates {
    /// Nothing is used up yet.
    pub fn new(now: Instant) -> Self {
        Self { parties: HashMap::new(), all: Pace::new(OF_ALL, now), in_vain: Pace::new(IN_VAIN, now) }
    }

    /// Whether a request is looked at.
    pub fn look(&mut self, now: Instant) -> Result<(), Refused> {
        if self.in_vain.left(now) > 0 {
            return Ok(());
        }
        Err((Refusal::TooFast, "too many requests came to nothing in so short a time".into()))
    }

    /// Counts one that came to nothing.
    pub fn came_to_nothing(&mut self, now: Instant) {
        self.in_vain.allows(now);
    }

    /// Whether one more may be issued to the party; it counts as issued.
    pub fn issue(&mut self, party: &PartyName, now: Instant) -> Result<(), Refused> {
        if self.parties.len() >= PARTIES {
            self.parties.retain(|_, pace| pace.left(now) < pace.most);
        }
        let too_fast =
            |whose: &str| Err((Refusal::TooFast, format!("too many certificates {whose}in so short a time")));
        // What nobody gets takes nothing from anybody.
        if self.all.left(now) == 0 {
            return too_fast("");
        }
        let own = self.parties.entry(party.clone()).or_insert_with(|| Pace::new(OF_A_PARTY, now));
        if !own.allows(now) {
            return too_fast(&format!("of `{party}` "));
        }
        self.all.allows(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_emptied_by_requests_and_filled_by_time() {
        let start = Instant::now();
        let mut pace = Pace::new((3, Duration::from_secs(10)), start);
        let mut at = |seconds: u64| pace.allows(start + Duration::from_secs(seconds));
        assert_eq!([at(0), at(0), at(0), at(0)], [true, true, true, false]);
        assert_eq!([at(9), at(10), at(10)], [false, true, false]);
        assert_eq!([at(30), at(30), at(30)], [true, true, false]);
        // It holds no more than the most, however long nothing came.
        assert_eq!([at(9000), at(9000), at(9000), at(9000)], [true, true, true, false]);
    }

    fn party(name: &str) -> PartyName {
        PartyName::parse(name).unwrap()
    }

    #[test]
    fn a_party_that_asks_in_a_loop_leaves_the_others_theirs() {
        let start = Instant::now();
        let mut paces = Certificates::new(start);
        let mut got = |name: &str, tries: u32, now: Instant| {
            (0..tries).filter(|_| paces.issue(&party(name), now).is_ok()).count() as u32
        };
        assert_eq!(got("loop", 100_000, start), OF_A_PARTY.0);
        assert_eq!(got("other", 1, start), 1);
        // What the loop is refused uses nothing up either: all others together have the rest.
        let left = OF_ALL.0 - OF_A_PARTY.0 - 1;
        let others: u32 = (0..10_u32).map(|one| got(&format!("p{one}"), OF_A_PARTY.0, start)).sum();
        assert_eq!(others, left);
        assert_eq!(got("late", 1, start), 0, "the pace of all");
        assert_eq!(got("late", 1, start + OF_ALL.1), 1);
        assert_eq!(got("loop", 10, start + OF_A_PARTY.1), 1);
    }

    #[test]
    fn parties_at_rest_are_let_go_and_no_others() {
        let start = Instant::now();
        let mut paces = Certificates::new(start);
        let busy = party("busy");
        for number in 0..PARTIES as u32 + 100 {
            let now = start + OF_ALL.1 * number;
            while paces.issue(&busy, now).is_ok() {}
            paces.issue(&party(&format!("p{number}")), now).unwrap();
            assert!(paces.parties.len() <= PARTIES);
            assert!(paces.issue(&busy, now).is_err(), "{number}");
        }
        assert!(paces.parties.contains_key(&busy) && !paces.parties.contains_key(&party("p0")));
    }

    #[test]
    fn what_comes_to_nothing_is_looked_at_up_to_a_pace() {
        let start = Instant::now();
        let mut paces = Certificates::new(start);
        for _ in 0..IN_VAIN.0 {
            assert!(paces.look(start).is_ok());
            paces.came_to_nothing(start);
        }
        assert_eq!(paces.look(start).unwrap_err().0, Refusal::TooFast);
        assert!(paces.look(start + IN_VAIN.1).is_ok());
    }
}
