//! Why somebody is refused: stable codes, the values behind them, and whether they may be told.

use examiner::UnixTime;
use serde::{Deserialize, Serialize};

/// The stable codes; the same in page, JSON, log, metric and `explain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Code {
    NoCertificate,
    Expired,
    NotYetValid,
    UnknownIssuer,
    ChainIncomplete,
    BadSignature,
    Malformed,
    WeakKey,
    ChainInvalid,
    WrongUsage,
    Revoked,
    Superseded,
    RevocationUnknown,
    NotAllowed,
    Suspended,
    PolicyStale,
    PossessionFailed,
    HostMismatch,
}

impl Code {
    /// All codes, in the order they are documented.
    pub const ALL: [Self; 18] = [
        Self::NoCertificate,
        Self::Expired,
        Self::NotYetValid,
        Self::UnknownIssuer,
        Self::ChainIncomplete,
        Self::BadSignature,
        Self::Malformed,
        Self::WeakKey,
        Self::ChainInvalid,
        Self::WrongUsage,
        Self::Revoked,
        Self::Superseded,
        Self::RevocationUnknown,
        Self::NotAllowed,
        Self::Suspended,
        Self::PolicyStale,
        Self::PossessionFailed,
        Self::HostMismatch,
    ];

    /// The code as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoCertificate => "no-certificate",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::UnknownIssuer => "unknown-issuer",
            Self::ChainIncomplete => "chain-incomplete",
            Self::BadSignature => "bad-signature",
            Self::Malformed => "malformed",
            Self::WeakKey => "weak-key",
            Self::ChainInvalid => "chain-invalid",
            Self::WrongUsage => "wrong-usage",
            Self::Revoked => "revoked",
            Self::Superseded => "superseded",
            Self::RevocationUnknown => "revocation-unknown",
            Self::NotAllowed => "not-allowed",
            Self::Suspended => "suspended",
            Self::PolicyStale => "policy-stale",
            Self::PossessionFailed => "possession-failed",
            Self::HostMismatch => "host-mismatch",
        }
    }

    /// The code written this way.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// The number of the TLS alert a `handshake` site answers with (RFC 8446 section 6); `None` for HTTP 421.
    pub fn alert(self) -> Option<u8> {
        Some(match self {
            Self::NoCertificate => 116,
            Self::Expired | Self::NotYetValid => 45,
            Self::UnknownIssuer | Self::ChainIncomplete => 48,
            Self::BadSignature | Self::Malformed | Self::WeakKey | Self::ChainInvalid => 42,
            Self::WrongUsage => 43,
            Self::Revoked | Self::Superseded => 44,
            Self::RevocationUnknown => 46,
            Self::NotAllowed | Self::Suspended | Self::PolicyStale => 49,
            Self::PossessionFailed => 51,
            Self::HostMismatch => return None,
        })
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal: the reason with its values, and how far it may be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason with its values.
    pub why: Why,
    /// Whether the certificate verifies to a CA of this site, is pinned, or holds a pinned key: only then is more told
    /// than the code.
    pub vouched: bool,
    /// Whether observing lets it through.
    pub observable: bool,
}

/// Which certificate of the chain a reason is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The visitor's own.
    EndEntity,
    /// An intermediate or the trust anchor.
    Issuer,
}

/// The reason with its values. Texts from certificates are as [`examiner::Name`] shows them: controls escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// None was shown.
    NoCertificate,
    /// It ended at `not_after`.
    Expired {
        /// Its last second.
        not_after: UnixTime,
        /// Which certificate.
        place: Place,
    },
    /// It starts at `not_before`.
    NotYetValid {
        /// Its first second.
        not_before: UnixTime,
        /// Which certificate.
        place: Place,
    },
    /// No trust anchor of the site vouches for it, and it is saved nowhere.
    UnknownIssuer {
        /// Who issued it, by its own words.
        issuer: String,
        /// The issuer's name equals one of this site's CAs, whose key did not sign it.
        name_equals_ca: Option<String>,
        /// A certificate with this very key is saved by thumbprint for this party: `--pin key` survives renewals.
        same_key_as_pin_of: Option<String>,
        /// The key is saved, but with another subject or other names.
        key_pin_with_other_names: bool,
    },
    /// The client did not send the intermediate it needs, which is known here.
    ChainIncomplete {
        /// The missing certificate's subject.
        missing: String,
    },
    /// A signature in the chain does not match.
    BadSignature,
    /// It cannot be read.
    Malformed {
        /// What is wrong.
        what: String,
    },
    /// A key or signature hash is too weak; `found` names kind and size.
    WeakKey {
        /// Such as `RSA 1024 bit`.
        found: String,
    },
    /// The chain breaks a rule of RFC 5280.
    ChainInvalid {
        /// Which.
        what: String,
    },
    /// It is not meant for logging in.
    WrongUsage(Usage),
    /// Revoked.
    Revoked {
        /// Since when.
        at: UnixTime,
        /// Why.
        reason: String,
    },
    /// A newer certificate took its place and the overlap is over.
    Superseded {
        /// Its last second beside its successor.
        since: UnixTime,
    },
    /// No fresh revocation list.
    RevocationUnknown,
    /// Verified, and not on the list.
    NotAllowed {
        /// Who it is, where that was found out.
        party: Option<String>,
        /// What keeps it out.
        because: NotAllowed,
    },
    /// The party is suspended.
    Suspended {
        /// Who.
        party: String,
        /// Since when.
        since: UnixTime,
    },
    /// The policy could not be refreshed for too long.
    PolicyStale,
    /// The private key was not proved.
    PossessionFailed,
    /// The request names another host than the connection.
    HostMismatch,
}

/// What is wrong with its usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Usage {
    /// No extended key usage extension.
    NoKeyPurpose,
    /// The extended key usage lists only these.
    OtherKeyPurposes(Vec<String>),
    /// keyUsage is there without digitalSignature.
    NoDigitalSignature,
    /// It is a CA certificate.
    CaCertificate,
    /// An issuer in its chain may not issue for client authentication.
    IssuerNotForClients,
}

/// What keeps a verified visitor out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAllowed {
    /// On no list and with no grant.
    NotListed,
    /// On a deny list.
    Denied,
    /// Its issuer's `match` does not fit.
    NoMatch,
    /// `name_from` found no value, or several.
    NoSingleName,
    /// Issued by the own authority, but not on record.
    NotOnRecord,
    /// An operator's certificate at a site, or a party's at the admin address.
    OtherAudience,
}

impl Refusal {
    /// The stable code.
    pub fn code(&self) -> Code {
        self.why.code()
    }
}

impl Why {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::NoCertificate => Code::NoCertificate,
            Self::Expired { .. } => Code::Expired,
            Self::NotYetValid { .. } => Code::NotYetValid,
            Self::UnknownIssuer { .. } => Code::UnknownIssuer,
            Self::ChainIncomplete { .. } => Code::ChainIncomplete,
            Self::BadSignature => Code::BadSignature,
            Self::Malformed { .. } => Code::Malformed,
            Self::WeakKey { .. } => Code::WeakKey,
            Self::ChainInvalid { .. } => Code::ChainInvalid,
            Self::WrongUsage(_) => Code::WrongUsage,
            Self::Revoked { .. } => Code::Revoked,
            Self::Superseded { .. } => Code::Superseded,
            Self::RevocationUnknown => Code::RevocationUnknown,
            Self::NotAllowed { .. } => Code::NotAllowed,
            Self::Suspended { .. } => Code::Suspended,
            Self::PolicyStale => Code::PolicyStale,
            Self::PossessionFailed => Code::PossessionFailed,
            Self::HostMismatch => Code::HostMismatch,
        }
    }
}
