//! The dates on which rules come into force: all of them, as one table.
//!
//! A rule counts for the certificates whose notBefore is not earlier than its date.

use crate::cert::UnixTime;

/// The first second in UTC of a day.
pub const fn day(year: i64, month: i64, day: i64) -> UnixTime {
    // Days from the civil calendar: years begin in March, so that the leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era_days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    UnixTime((era * 146_097 + of_era_days - 719_468) * 86_400)
}

/// From when a limit holds, and the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LifetimeLimit {
    /// Certificates issued from this moment on.
    pub from: UnixTime,
    /// At most this many days of 86,400 seconds, both ends of validity counted.
    pub days: i64,
    /// Where it is written.
    pub clause: &'static str,
}

/// How long a public server certificate may live (Baseline Requirements section 6.3.2), the newest last.
pub const LIFETIME_LIMITS: &[LifetimeLimit] = &[
    LifetimeLimit { from: day(2012, 7, 1), days: 1827, clause: "BR 1.0 section 9.4.1 (60 months)" },
    LifetimeLimit { from: day(2015, 4, 1), days: 1188, clause: "BR 1.3 section 6.3.2 (39 months)" },
    LifetimeLimit { from: day(2018, 3, 1), days: 825, clause: "BR section 6.3.2" },
    LifetimeLimit { from: day(2020, 9, 1), days: 398, clause: "BR section 6.3.2" },
    LifetimeLimit { from: day(2026, 3, 15), days: 200, clause: "BR section 6.3.2" },
    LifetimeLimit { from: day(2027, 3, 15), days: 100, clause: "BR section 6.3.2" },
    LifetimeLimit { from: day(2029, 3, 15), days: 47, clause: "BR section 6.3.2" },
];

/// Up to how many days a certificate counts as short-lived (BR section 1.6.1), the newest last.
pub const SHORT_LIVED: &[LifetimeLimit] = &[
    LifetimeLimit { from: day(2024, 3, 15), days: 10, clause: "BR section 1.6.1" },
    LifetimeLimit { from: day(2026, 3, 15), days: 7, clause: "BR section 1.6.1" },
];

/// The limit of such a table that holds for what was issued at this moment.
pub fn limit_at(table: &'static [LifetimeLimit], issued: UnixTime) -> Option<&'static LifetimeLimit> {
    table.iter().rev().find(|limit| limit.from <= issued)
}

/// Names under the reverse zones of addresses may no longer be issued (BR section 4.2.2).
pub const NO_REVERSE_ZONE_NAMES: UnixTime = day(2026, 3, 15);
/// No precertificate signing CAs any more (BR 2.2.6 section 1.2.2).
pub const NO_PRECERTIFICATE_SIGNING_CAS: UnixTime = day(2026, 3, 15);
/// The last uses of SHA-1 in certificates and lists end (BR section 7.1.3.2.1).
pub const SHA1_ENDS: UnixTime = day(2026, 9, 15);
/// New intermediates under Chrome's roots have serverAuth as their only purpose (Chrome Root Policy 1.8 section 1.3.2).
pub const CHROME_INTERMEDIATES_SERVER_ONLY: UnixTime = day(2026, 6, 15);
/// Server certificates under Chrome's roots have serverAuth alone (Chrome Root Policy 1.8 section 1.3.2).
pub const CHROME_LEAVES_SERVER_ONLY: UnixTime = day(2027, 3, 15);
/// Chrome takes two self-signed roots of each CA owner (Chrome Root Policy 1.8).
pub const CHROME_TWO_ROOTS: UnixTime = day(2027, 9, 15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (y, m, d) in [(1970, 1, 1), (2000, 2, 29), (2026, 3, 15), (2029, 3, 15), (2100, 12, 31)] {
            assert_eq!(Ok(day(y, m, d)), UnixTime::parse(&format!("{y:04}-{m:02}-{d:02}")));
        }
    }

    #[test]
    fn tables_stand_in_the_order_of_their_dates() {
        assert!(LIFETIME_LIMITS.is_sorted_by_key(|limit| limit.from));
        assert!(SHORT_LIVED.is_sorted_by_key(|limit| limit.from));
        assert_eq!(limit_at(LIFETIME_LIMITS, day(2026, 3, 14)).unwrap().days, 398);
        assert_eq!(limit_at(LIFETIME_LIMITS, day(2026, 3, 15)).unwrap().days, 200);
        assert_eq!(limit_at(LIFETIME_LIMITS, day(2000, 1, 1)), None);
    }
}
