//! One finding, and one thing that could not be told.

use std::ops::Range;

use serde::{Serialize, Serializer};

use crate::cert::UnixTime;
use crate::chain::Role;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Some or all peers refuse, or a rule is broken.
    Error,
    /// It works today and may not tomorrow, or not everywhere.
    Warning,
    /// Good to know.
    Notice,
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// It follows from the bytes alone.
    Certain,
    /// It is likely; what would settle it is not at hand.
    Likely,
}

/// One thing that is wrong, or good to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check that found it; stable.
    pub id: &'static str,
    /// How much it matters under the profile.
    pub severity: Severity,
    /// Whether it is about the host and not about a certificate; role, index and place then say nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_of_host: bool,
    /// The part of the certificate in the chain.
    pub role: Role,
    /// The certificate's index in the report's chain.
    pub index: usize,
    /// Where in the certificate, by the standard's names; empty for the whole.
    pub path: String,
    /// Where in the certificate, by bytes: from the first to one after the last.
    #[serde(serialize_with = "as_pair")]
    pub range: Range<usize>,
    /// What stands there.
    pub observed: String,
    /// What ought to stand there.
    pub expected: String,
    /// Where the rule is written.
    pub clause: String,
    /// Since when the rule holds, where it has a date.
    pub in_force: Option<UnixTime>,
    /// Who is affected.
    pub affected: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// What to do.
    pub remedy: String,
}

/// What would settle a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Needs {
    /// The certificate of the issuer.
    Issuer,
    /// Trust anchors.
    Anchors,
    /// The name that the peer ought to have.
    HostName,
    /// A look at the network.
    Network,
    /// A list of revoked certificates, or another side file.
    List,
}

impl Needs {
    /// What is lacking, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Issuer => "the issuer's certificate (--intermediates, --fetch)",
            Self::Anchors => "trust anchors (--roots)",
            Self::HostName => "a name to match (--servername)",
            Self::Network => "a look at the network",
            Self::List => "lists (--crl, --ocsp, --fetch, --key-list, --root-list, --ct-logs)",
        }
    }
}

/// A check that could not tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Untold {
    /// The check.
    pub id: &'static str,
    /// The certificate's index; `None` for the whole chain.
    pub index: Option<usize>,
    /// What would settle it.
    pub needs: Needs,
    /// What could not be told, in words.
    pub why: String,
}

fn as_pair<S: Serializer>(range: &Range<usize>, serializer: S) -> Result<S::Ok, S::Error> {
    [range.start, range.end].serialize(serializer)
}
