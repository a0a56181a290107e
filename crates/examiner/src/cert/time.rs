//! Moments, as certificates count them: whole seconds in UTC.

use std::fmt;

use ::time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// A moment in whole seconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// Shown and parsed as RFC 3339 in UTC, such as `2027-03-15T00:00:00Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct UnixTime(pub i64);

/// A text that is no RFC 3339 moment and no date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no date: write it like 2027-03-15 or 2027-03-15T12:00:00Z")]
pub struct TimeTextError(pub String);

impl UnixTime {
    /// The latest moment that can be written; stands for "never ends".
    pub const FAR_FUTURE: Self = Self(253_402_300_799);

    /// Seconds since 1970, as stored.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// This moment `seconds` later (earlier where negative); stays within what can be written.
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds).min(Self::FAR_FUTURE.0))
    }

    /// Parses RFC 3339 (`2027-03-15T12:00:00Z`) or a date alone, which means its first second in UTC.
    pub fn parse(text: &str) -> Result<Self, TimeTextError> {
        let wrong = || TimeTextError(text.to_owned());
        if text.len() == 10 {
            let date = ::time::Date::parse(text, format_description!("[year]-[month]-[day]"))
                .map_err(|_| wrong())?;
            return Ok(Self(date.midnight().assume_utc().unix_timestamp()));
        }
        OffsetDateTime::parse(text, &Rfc3339).map(|t| Self(t.unix_timestamp())).map_err(|_| wrong())
    }

    /// The date alone, `2027-03-15`.
    pub fn date(self) -> String {
        self.to_string().chars().take(10).collect()
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Written by hand: each line of the access log has one.
        match OffsetDateTime::from_unix_timestamp(self.0) {
            Ok(t) if (0..=9999).contains(&t.year()) => {
                let mut text = *b"0000-00-00T00:00:00Z";
                let year = t.year().unsigned_abs();
                let pairs = [
                    (0, year / 100),
                    (2, year % 100),
                    (5, u8::from(t.month()).into()),
                    (8, t.day().into()),
                    (11, t.hour().into()),
                    (14, t.minute().into()),
                    (17, t.second().into()),
                ];
                for (at, number) in pairs {
                    text[at] += (number / 10) as u8;
                    text[at + 1] += (number % 10) as u8;
                }
                f.write_str(std::str::from_utf8(&text).unwrap_or_default())
            }
            _ => write!(f, "{} s", self.0),
        }
    }
}

impl serde::Serialize for UnixTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for UnixTime {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_survives_being_shown_and_parsed() {
        let moment = UnixTime(1_804_032_000);
        assert_eq!(UnixTime::parse(&moment.to_string()), Ok(moment));
        assert_eq!(UnixTime::parse("1970-01-02"), Ok(UnixTime(86_400)));
        assert_eq!(UnixTime::parse("1970-01-02T01:00:00+01:00"), Ok(UnixTime(86_400)));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["", "tomorrow", "2027-13-01", "2027-02-30", "2027-3-1"] {
            assert!(UnixTime::parse(text).is_err(), "{text}");
        }
    }
}
