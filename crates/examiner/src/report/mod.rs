//! What an examination found, as plain data. Every format is a pure function of a [`Report`].

mod finding;

use serde::Serialize;

use crate::cert::UnixTime;
use crate::chain::Role;
use crate::profile::Profile;

pub use finding::{Confidence, Finding, Needs, Severity, Untold};

/// What an examination found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The findings' verdict in one word.
    pub verdict: Verdict,
    /// The same as one sentence.
    pub sentence: String,
    /// By whose rules.
    pub profile: ChosenProfile,
    /// The moment that counted as now.
    pub examined_at: UnixTime,
    /// The certificates by their index.
    pub chain: Vec<Link>,
    /// What was found, errors first, then by the order of the chain.
    pub findings: Vec<Finding>,
    /// What could not be told, and what it needs.
    pub untold: Vec<Untold>,
}

/// The worst of the findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing, or notices alone.
    Right,
    /// Warnings and no error.
    Warnings,
    /// At least one error.
    Errors,
}

/// The profile and how it was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChosenProfile {
    /// The profile.
    pub name: Profile,
    /// Why it was guessed; `None` where it was given.
    pub guessed: Option<String>,
}

/// One certificate of the chain, as a report names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Its number.
    pub index: usize,
    /// The part it plays.
    pub role: Role,
    /// Where it comes from.
    pub source: Source,
    /// Its subject as RFC 4514 text.
    pub subject: String,
    /// Its issuer as RFC 4514 text.
    pub issuer: String,
    /// Its serial number in lower-case hex.
    pub serial: String,
    /// First second of validity.
    pub not_before: Option<UnixTime>,
    /// Last second of validity.
    pub not_after: Option<UnixTime>,
    /// SHA-256 of its DER.
    pub thumbprint: String,
}

/// Where a certificate of the report comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Served by the host, or in the file.
    Served,
    /// At hand beside it.
    Beside,
    /// A trust anchor.
    Anchor,
}

/// Text out of a certificate, safe to show: control characters and what turns text around are escaped.
pub fn shown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || crate::cert::is_invisible(c) {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    safe
}
