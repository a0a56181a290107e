//! Why a certificate is revoked.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnknownWord;

/// Why a certificate is revoked (RFC 5280 section 5.3.1), by the words of `--reason`.
///
/// All reasons but `removeFromCRL`, which stands in delta lists alone: a hold that ended leaves the next full list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// No reason given; the list then carries no reason code.
    #[default]
    Unspecified,
    /// The private key is, or may be, in other hands.
    KeyCompromise,
    /// The party's name or belonging changed.
    AffiliationChanged,
    /// Another certificate took its place.
    Superseded,
    /// The party stopped.
    CessationOfOperation,
    /// Held for now; the only reason that can be taken back.
    CertificateHold,
    /// What the certificate was given for is no longer granted.
    PrivilegeWithdrawn,
    /// The issuing CA's private key is, or may be, in other hands.
    CaCompromise,
    /// The authority that vouches for the attributes in it is compromised.
    AaCompromise,
}

impl Reason {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 9] = [
        Self::KeyCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::PrivilegeWithdrawn,
        Self::CaCompromise,
        Self::AaCompromise,
        Self::CertificateHold,
        Self::Unspecified,
    ];

    /// The word for it, as in `--reason key-compromise`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "key-compromise",
            Self::AffiliationChanged => "affiliation-changed",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessation-of-operation",
            Self::CertificateHold => "certificate-hold",
            Self::PrivilegeWithdrawn => "privilege-withdrawn",
            Self::CaCompromise => "ca-compromise",
            Self::AaCompromise => "aa-compromise",
        }
    }

    /// The CRLReason value (RFC 5280 section 5.3.1).
    pub fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::PrivilegeWithdrawn => 9,
            Self::AaCompromise => 10,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Reason {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|one| one.word() == text).ok_or_else(|| UnknownWord {
            text: text.escape_debug().to_string(),
            what: "reason",
            known: Self::ALL.map(Self::word).join(", "),
        })
    }
}
