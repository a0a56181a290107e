//! Which notices are due.

use std::collections::BTreeMap;
use std::fmt;

use examiner::UnixTime;
use policy::PartyName;
use serde::{Deserialize, Serialize};

/// So many days before a party's last certificate ends it is told of; each once.
pub const DAYS: [i64; 3] = [30, 14, 3];

const DAY_SECONDS: i64 = 86_400;

/// That a party's last certificate ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Notice {
    /// When.
    pub not_after: UnixTime,
    /// Whose.
    pub party: PartyName,
    /// Within so many days.
    pub days: i64,
}

/// `alice 2027-03-15T12:00:00Z 14`.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.party, self.not_after, self.days)
    }
}

/// The first and the last end that there may be something to tell of at `now`.
pub fn window(now: UnixTime) -> (UnixTime, UnixTime) {
    (now, now.plus(DAYS[0] * DAY_SECONDS))
}

/// What there is to tell at `now`, the earliest end first: of each party the least of the days that have come, not those
/// before it. Of what has ended already there is nothing to tell.
pub fn due(ends: &BTreeMap<PartyName, UnixTime>, now: UnixTime) -> Vec<Notice> {
    let mut all: Vec<Notice> = ends
        .iter()
        .filter_map(|(party, end)| {
            let left = end.seconds().saturating_sub(now.seconds());
            let days = DAYS.into_iter().filter(|days| (0..=days * DAY_SECONDS).contains(&left)).min()?;
            Some(Notice { not_after: *end, party: party.clone(), days })
        })
        .collect();
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn days(seconds_left: i64) -> Option<i64> {
        let party = PartyName::parse("svc").unwrap();
        due(&BTreeMap::from([(party, NOW.plus(seconds_left))]), NOW).first().map(|one| one.days)
    }

    #[test]
    fn each_comes_at_its_day_and_not_a_second_before() {
        for (at, before) in [(30, None), (14, Some(30)), (3, Some(14))] {
            assert_eq!(days(at * DAY_SECONDS), Some(at));
            assert_eq!(days(at * DAY_SECONDS + 1), before);
        }
        assert_eq!((days(0), days(-1)), (Some(3), None));
    }

    #[test]
    fn the_earliest_end_comes_first() {
        let name = |text: &str| PartyName::parse(text).unwrap();
        let ends = BTreeMap::from([
            (name("a"), NOW.plus(9)),
            (name("b"), NOW.plus(5)),
            (name("c"), NOW.plus(99 * DAY_SECONDS)),
        ]);
        let told: Vec<String> = due(&ends, NOW).iter().map(|one| one.party.to_string()).collect();
        assert_eq!(told, ["b", "a"]);
    }
}
