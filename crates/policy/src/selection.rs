//! Which certificates on record are meant, where a change concerns many of them at once.
//!
//! Written like `profile=device and party=kiosk-*`: all conditions joined by ` and ` hold for a certificate that is
//! meant. Several selections are alternatives.

use std::fmt;

use examiner::{Certificate, UnixTime};

use crate::ca::{MatchEntry, MatchError, MatchKind};

/// Which certificates are meant: those that fit one of the entries. Never empty, so nothing is meant by accident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection(Vec<Entry>);

/// Conditions that must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// What the record itself tells.
    record: Vec<OfRecord>,
    /// What the certificate has to be read for.
    certificate: Vec<OfCertificate>,
}

/// A condition on the record.
#[derive(Clone, Debug, PartialEq, Eq)]
enum OfRecord {
    Party(Pattern),
    Label(Pattern),
    Profile(String),
    /// The first second of validity is this or a later one.
    BeginsFrom(UnixTime),
    /// The first second of validity is this or an earlier one.
    BeginsTo(UnixTime),
}

/// A condition on the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
enum OfCertificate {
    /// As in a trusted issuer's `match`.
    Names(MatchEntry),
    /// An attribute of the issuer, by dotted type, has this value.
    Issuer { oid: String, shown: String, value: String },
}

/// A name, or with `*` at its end all that begin so.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    begin: String,
    open: bool,
}

/// A certificate on record, as far as a selection looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The party's name.
    pub party: &'a str,
    /// What the party calls it.
    pub label: &'a str,
    /// The issuance profile's name; empty for a pin.
    pub profile: &'a str,
    /// First second of validity.
    pub not_before: UnixTime,
    /// The certificate, DER.
    pub der: &'a [u8],
}

/// A selection that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// There is no selection at all.
    #[error("nothing is selected")]
    Empty,
    /// No `=` in a condition.
    #[error("`{0}` has no `=`: write it like profile=device")]
    NoEquals(String),
    /// A field that a selection cannot look at.
    #[error(
        "`{0}` cannot be selected by: use party, label, profile, begins-from, begins-to, issuer:cn (o, ou, …), subject:cn, san:dns, san:email or san:uri"
    )]
    Field(String),
    /// `*` elsewhere than at the end, or nothing at all.
    #[error("`{0}` cannot be selected by: `*` stands at the end only, as in kiosk-*")]
    Pattern(String),
    /// A moment that is none.
    #[error("`{0}` is no moment: write it like 2027-03-01 or 2027-03-01T12:00:00Z")]
    Time(String),
    /// A value of a name that cannot match.
    #[error(transparent)]
    Match(#[from] MatchError),
}

impl Selection {
    /// Reads the selections; one of them is enough for a certificate.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Self, SelectionError> {
        if texts.is_empty() {
            return Err(SelectionError::Empty);
        }
        Ok(Self(texts.iter().map(|text| Entry::parse(text.as_ref())).collect::<Result<_, _>>()?))
    }

    /// Whether this certificate is meant. One that cannot be read fits no condition on its names.
    pub fn fits(&self, candidate: &Candidate<'_>) -> bool {
        self.0.iter().any(|entry| entry.fits(candidate))
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(Entry::to_string).collect();
        f.write_str(&all.join(" or "))
    }
}

impl Entry {
    fn parse(text: &str) -> Result<Self, SelectionError> {
        let mut entry = Self { record: Vec::new(), certificate: Vec::new() };
        for part in text.split(" and ").map(str::trim) {
            let (field, value) = part.split_once('=').ok_or_else(|| SelectionError::NoEquals(shown(part)))?;
            let (field, value) = (field.trim(), value.trim());
            match field {
                "party" => entry.record.push(OfRecord::Party(Pattern::parse(value)?)),
                "label" => entry.record.push(OfRecord::Label(Pattern::parse(value)?)),
                "profile" if value.is_empty() || value.contains('*') => {
                    return Err(SelectionError::Pattern(shown(value)));
                }
                "profile" => entry.record.push(OfRecord::Profile(value.to_owned())),
                "begins-from" => entry.record.push(OfRecord::BeginsFrom(time(value)?)),
                "begins-to" => entry.record.push(OfRecord::BeginsTo(time(value)?)),
                _ => entry.certificate.push(OfCertificate::parse(field, value, part)?),
            }
        }
        Ok(entry)
    }

    fn fits(&self, candidate: &Candidate<'_>) -> bool {
        if !self.record.iter().all(|condition| condition.holds(candidate)) {
            return false;
        }
        self.certificate.is_empty()
            || Certificate::from_der(candidate.der)
                .is_ok_and(|certificate| self.certificate.iter().all(|one| one.holds(&certificate)))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.record.iter().map(|one| match one {
            OfRecord::Party(pattern) => format!("party={pattern}"),
            OfRecord::Label(pattern) => format!("label={pattern}"),
            OfRecord::Profile(name) => format!("profile={name}"),
            OfRecord::BeginsFrom(time) => format!("begins-from={time}"),
            OfRecord::BeginsTo(time) => format!("begins-to={time}"),
        });
        let certificate = self.certificate.iter().map(|one| match one {
            OfCertificate::Names(names) => names.to_string(),
            OfCertificate::Issuer { shown, value, .. } => format!("issuer:{shown}={value}"),
        });
        f.write_str(&record.chain(certificate).collect::<Vec<_>>().join(" and "))
    }
}

impl OfRecord {
    fn holds(&self, candidate: &Candidate<'_>) -> bool {
        match self {
            Self::Party(pattern) => pattern.fits(candidate.party),
            Self::Label(pattern) => pattern.fits(candidate.label),
            Self::Profile(name) => candidate.profile == name,
            Self::BeginsFrom(time) => candidate.not_before >= *time,
            Self::BeginsTo(time) => candidate.not_before <= *time,
        }
    }
}

impl OfCertificate {
    fn parse(field: &str, value: &str, part: &str) -> Result<Self, SelectionError> {
        let unknown = || SelectionError::Field(shown(field));
        if let Some(name) = field.strip_prefix("issuer:") {
            let oid = examiner::cert::oid::attribute_oid(name).ok_or_else(unknown)?;
            if value.is_empty() || value.contains('*') {
                return Err(MatchError::Pattern(shown(value)).into());
            }
            return Ok(Self::Issuer { oid, shown: name.to_ascii_lowercase(), value: value.to_owned() });
        }
        MatchKind::parse(field).map_err(|_| unknown())?;
        Ok(Self::Names(MatchEntry::parse(part)?))
    }

    fn holds(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Names(names) => names.fits(certificate),
            Self::Issuer { oid, value, .. } => certificate.issuer.values(oid).any(|one| one == value),
        }
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, SelectionError> {
        let (begin, open) = text.strip_suffix('*').map_or((text, false), |begin| (begin, true));
        if text.is_empty() || begin.contains('*') || begin.chars().any(char::is_control) {
            return Err(SelectionError::Pattern(shown(text)));
        }
        Ok(Self { begin: begin.to_owned(), open })
    }

    fn fits(&self, text: &str) -> bool {
        if self.open { text.starts_with(&self.begin) } else { text == self.begin }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.begin, if self.open { "*" } else { "" })
    }
}

fn time(text: &str) -> Result<UnixTime, SelectionError> {
    UnixTime::parse(text).map_err(|_| SelectionError::Time(shown(text)))
}

fn shown(text: &str) -> String {
    text.escape_debug().to_string()
}

#[cfg(test)]
mod tests;
