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

/// From when clients ask for so many timestamps of logs, by the lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampRule {
    /// Certificates issued from this moment on.
    pub from: UnixTime,
    /// Up to so many days, so many timestamps of different logs.
    pub steps: &'static [(i64, usize)],
    /// For what lives longer.
    pub beyond: usize,
    /// Where it is written.
    pub clause: &'static str,
}

/// How many timestamps clients ask for, the newest rule last.
pub const TIMESTAMP_RULES: &[TimestampRule] = &[
    TimestampRule {
        from: day(2018, 4, 30),
        // Below 15 months, up to 27, up to 39.
        steps: &[(456, 2), (822, 3), (1187, 4)],
        beyond: 5,
        clause: "Chrome and Apple Certificate Transparency policies of 2018",
    },
    TimestampRule {
        from: day(2021, 4, 21),
        steps: &[(180, 2)],
        beyond: 3,
        clause: "Chrome and Apple Certificate Transparency policies",
    },
];

/// How many timestamps clients ask for of a certificate issued at this moment that lives so many days.
pub fn timestamps_needed(issued: UnixTime, days: i64) -> Option<(usize, &'static TimestampRule)> {
    let rule = TIMESTAMP_RULES.iter().rev().find(|rule| rule.from <= issued)?;
    let step = rule.steps.iter().find(|(most, _)| days <= *most);
    Some((step.map_or(rule.beyond, |(_, count)| *count), rule))
}

/// For how many days a CA may rely on a validation of a domain (BR section 4.2.1), the newest last.
pub const VALIDATION_REUSE_LIMITS: &[LifetimeLimit] = &[
    LifetimeLimit { from: day(2018, 3, 1), days: 825, clause: "BR section 4.2.1" },
    LifetimeLimit { from: day(2021, 10, 1), days: 398, clause: "BR section 4.2.1" },
    LifetimeLimit { from: day(2026, 3, 15), days: 200, clause: "BR section 4.2.1" },
    LifetimeLimit { from: day(2027, 3, 15), days: 100, clause: "BR section 4.2.1" },
    LifetimeLimit { from: day(2029, 3, 15), days: 10, clause: "BR section 4.2.1" },
];

/// The limit of such a table that holds for what was issued at this moment.
pub fn limit_at(table: &'static [LifetimeLimit], issued: UnixTime) -> Option<&'static LifetimeLimit> {
    table.iter().rev().find(|limit| limit.from <= issued)
}

/// How long an extended-validation certificate could live before all were limited more (EVG section 9.4, 27 months).
pub const EXTENDED_VALIDATION_LIMIT: LifetimeLimit =
    LifetimeLimit { from: day(2012, 7, 1), days: 825, clause: "EVG section 9.4 (27 months)" };
/// How many days a client certificate lives at most, by this product's own measure.
pub const CLIENT_LIFETIME_DAYS: i64 = 398;

/// How many seconds the clocks of two machines may be apart: what was made so much later than now was made now.
pub const CLOCKS_APART: i64 = 300;
/// Whether what holds from `begins` on does not hold yet, however the clocks go.
pub(crate) fn is_ahead(begins: UnixTime, now: UnixTime) -> bool {
    begins > now.plus(CLOCKS_APART)
}

/// X.509 is published. What says that it was issued earlier says nothing about its day of issue.
pub const X509: UnixTime = day(1988, 11, 25);
/// The Baseline Requirements begin (version 1.0).
pub const BASELINE: UnixTime = day(2012, 7, 1);
/// RFC 6818 is published: the text of a policy's notice is UTF-8.
pub const RFC_6818: UnixTime = day(2013, 1, 1);
/// Numbers of organisations stand in an extension too (EV Guidelines 1.7.0 section 9.2.8).
pub const ORGANIZATION_IDS: UnixTime = day(2020, 1, 31);
/// The terms of a qualified certificate are disclosed over https (ETSI EN 319 412-5 version 2.4.1).
pub const DISCLOSED_BY_HTTPS: UnixTime = day(2023, 9, 1);
/// A qualified certificate is of one type (ETSI EN 319 411-2 version 2.5.0).
pub const ONE_QUALIFIED_TYPE: UnixTime = day(2023, 7, 1);
/// Each statement of a qualified certificate stands once (ETSI EN 319 412-5 version 2.6.1).
pub const EACH_STATEMENT_ONCE: UnixTime = day(2026, 5, 1);
/// RFC 5280 is published.
pub const RFC_5280: UnixTime = day(2008, 5, 1);
/// RFC 8399 asks for internationalised names in their normal form.
pub const RFC_8399: UnixTime = day(2018, 5, 1);
/// An address or a person in the subject needs the rest of the identity (BR section 7.1.4.2.2).
pub const WHOLE_IDENTITY: UnixTime = day(2016, 9, 7);
/// Persons have a policy of their own (BR 1.3.1 section 7.1.6.1).
pub const INDIVIDUAL_POLICY: UnixTime = day(2015, 9, 28);
/// A day less than the limit is recommended (BR section 6.3.2; Apple since 2020).
pub const SHORTER_BY_A_DAY: UnixTime = day(2020, 9, 1);
/// Serial numbers hold 64 bits of a random number (BR section 7.1).
pub const RANDOM_SERIALS: UnixTime = day(2016, 9, 30);
/// A CA has a common name (BR section 7.1.4.3.1).
pub const CA_COMMON_NAME: UnixTime = day(2017, 6, 8);
/// Underscores in host names end (BR section 7.1.4.2.1).
pub const NO_UNDERSCORES: UnixTime = day(2019, 4, 1);
/// A unit of an organisation needs the organisation (BR 1.7.9 section 7.1.4.2.2).
pub const UNIT_NEEDS_ORGANIZATION: UnixTime = day(2021, 8, 16);
/// The common name is a character for character copy of an alternative name (BR 1.8.0 section 7.1.4.2.2).
pub const COMMON_NAME_EXACT: UnixTime = day(2021, 8, 25);
/// Labels with hyphens third and fourth are A-labels (BR 1.7.9 section 7.1.4.2.1).
pub const NO_RESERVED_LABELS: UnixTime = day(2021, 10, 1);
/// No organisational units in server certificates (BR 1.7.9 section 7.1.4.2.2).
pub const NO_ORGANIZATIONAL_UNIT: UnixTime = day(2022, 9, 1);
/// authorityInfoAccess of a CA's certificate is recommended, and no longer required (BR 1.7.1 section 7.1.2.2).
pub const CA_AIA_RECOMMENDED: UnixTime = day(2020, 8, 20);
/// The profiles of certificates as tables (BR 2.0.0 section 7.1.2).
pub const BR_PROFILES: UnixTime = day(2023, 9, 15);
/// Server certificates for .onion names are of version 3 (BR appendix B) or extended validation.
pub const ONION: UnixTime = day(2015, 5, 1);
/// Intermediates list their purposes (Mozilla Root Store Policy section 5.3).
pub const INTERMEDIATE_PURPOSES: UnixTime = day(2019, 1, 1);
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
/// Chrome takes timestamps of static-ct-api logs alone (Chrome Certificate Transparency policy, requirement 4).
pub const CHROME_STATIC_LOGS_ALONE: UnixTime = day(2026, 4, 15);
/// Chrome takes two self-signed roots of each CA owner (Chrome Root Policy 1.8).
pub const CHROME_TWO_ROOTS: UnixTime = day(2027, 9, 15);

/// From when a public CA issues no more certificates for clients.
#[derive(Clone, Copy, Debug)]
pub struct ClientUseEnd {
    /// A part of the issuer's organisation, in lower case.
    pub issuer: &'static str,
    /// From this moment on.
    pub from: UnixTime,
    /// Where it is written.
    pub clause: &'static str,
}

/// Public CAs that end clientAuth on a day of their own, before Chrome asks for it ([`CHROME_LEAVES_SERVER_ONLY`]).
pub const CLIENT_USE_ENDS: &[ClientUseEnd] = &[
    ClientUseEnd {
        issuer: "let's encrypt",
        from: day(2026, 2, 11),
        clause: "Let's Encrypt: ending TLS client authentication",
    },
    ClientUseEnd {
        issuer: "digicert",
        from: day(2027, 3, 1),
        clause: "DigiCert: clientAuth in public TLS certificates",
    },
];

/// OCSP responders that were turned off: their domain, from when, and whose they were.
pub const ENDED_RESPONDERS: &[(&str, UnixTime, &str)] = &[("o.lencr.org", day(2025, 8, 6), "Let's Encrypt")];

/// When Mozilla removes a root for websites, by the first day of its key: before the first, removed on the second
/// (Mozilla Root Store Policy section 7.4, transition).
const ROOT_REMOVALS: &[(UnixTime, UnixTime)] = &[
    (day(2006, 1, 1), day(2025, 4, 15)),
    (day(2008, 1, 1), day(2026, 4, 15)),
    (day(2010, 1, 1), day(2027, 4, 15)),
    (day(2012, 1, 1), day(2028, 4, 15)),
    (day(2014, 4, 15), day(2029, 4, 15)),
];

/// When root stores remove a public root whose key was made on this day: by the table, later ones after 15 years.
pub fn root_ends(key_made: UnixTime) -> UnixTime {
    let row = ROOT_REMOVALS.iter().find(|(before, _)| key_made < *before);
    // 15 years with their leap days.
    row.map_or_else(|| key_made.plus(5_479 * 86_400), |(_, on)| *on)
}

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
        assert!(VALIDATION_REUSE_LIMITS.is_sorted_by_key(|limit| limit.from));
        assert_eq!(limit_at(LIFETIME_LIMITS, day(2026, 3, 14)).unwrap().days, 398);
        assert_eq!(limit_at(LIFETIME_LIMITS, day(2026, 3, 15)).unwrap().days, 200);
        assert_eq!(limit_at(LIFETIME_LIMITS, day(2000, 1, 1)), None);
    }

    #[test]
    fn timestamps_are_asked_for_by_the_lifetime() {
        assert!(TIMESTAMP_RULES.is_sorted_by_key(|rule| rule.from));
        let needed = |issued, days| timestamps_needed(issued, days).map(|(count, _)| count);
        assert_eq!(needed(day(2018, 4, 29), 90), None);
        assert_eq!(
            [456, 457, 822, 823, 1187, 1188].map(|days| needed(day(2018, 4, 30), days).unwrap()),
            [2, 3, 3, 4, 4, 5]
        );
        assert_eq!([180, 181, 2000].map(|days| needed(day(2021, 4, 21), days).unwrap()), [2, 3, 3]);
    }

    #[test]
    fn a_root_ends_by_the_table_and_else_after_fifteen_years() {
        assert!(ROOT_REMOVALS.is_sorted());
        assert_eq!(root_ends(day(2007, 12, 31)), day(2026, 4, 15));
        assert_eq!(root_ends(day(2008, 1, 1)), day(2027, 4, 15));
        assert_eq!(root_ends(day(2014, 4, 14)), day(2029, 4, 15));
        assert_eq!(root_ends(day(2015, 6, 4)), day(2030, 6, 4));
    }
}
