//! What may be issued: a plan for one certificate, and the rules it must pass before it can be signed.
//!
//! A [`Plan`] holds everything that will stand in the certificate; nothing of a request but its public key gets
//! in. [`check`] turns it into a [`CheckedPlan`], the only thing that the authority signs.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use examiner::{PublicKey, UnixTime};
use serde::{Deserialize, Serialize};

/// How long before `now` a certificate may begin, in seconds.
pub const BACKDATING_SECONDS: i64 = 300;

/// How long before `now` a new plan begins, in seconds, for clocks that run behind.
const LEAD_SECONDS: i64 = 60;

const DAY_SECONDS: i64 = 86_400;

/// Longest common name, in characters (RFC 5280 appendix A.1, ub-common-name).
const COMMON_NAME_MOST: usize = 64;

/// What a certificate is for; it decides issuer, key purpose, life and which names may stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// A human being who enters sites.
    Person,
    /// A machine that enters sites: laptop, phone, terminal.
    Device,
    /// A program that enters sites.
    Service,
    /// Somebody who runs the gate and enters its admin address.
    Operator,
    /// A site's own certificate, shown by the gate.
    Server,
}

impl Profile {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 5] = [Self::Person, Self::Device, Self::Service, Self::Operator, Self::Server];

    /// The life a certificate of this profile gets by default, and at most, in days.
    pub fn life_days(self) -> u32 {
        match self {
            Self::Person | Self::Operator => 365,
            Self::Device | Self::Service | Self::Server => 90,
        }
    }

    /// How many days after its end a certificate may still be renewed by whoever holds its key: for machines that were
    /// switched off meanwhile.
    pub fn grace_days(self) -> u32 {
        match self {
            Self::Person | Self::Device | Self::Service => 30,
            Self::Operator | Self::Server => 0,
        }
    }

    /// Whether the certificate is shown by a client (clientAuth); otherwise by a server (serverAuth).
    pub fn is_client(self) -> bool {
        self != Self::Server
    }

    /// The word for it, as in `--profile person`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Device => "device",
            Self::Service => "service",
            Self::Operator => "operator",
            Self::Server => "server",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Profile {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|one| one.word() == text).ok_or_else(|| UnknownWord {
            text: text.escape_debug().to_string(),
            what: "profile",
            known: Self::ALL.map(Self::word).join(", "),
        })
    }
}

/// A text that is none of the known words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}; use one of {known}")]
pub struct UnknownWord {
    /// What was given, with controls escaped.
    pub text: String,
    /// What was expected.
    pub what: &'static str,
    /// The words that are known.
    pub known: String,
}

/// A subject alternative name to put into a certificate (RFC 5280 section 4.2.1.6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AltName {
    /// dNSName; a wildcard as the leftmost label for servers only.
    Dns(String),
    /// rfc822Name; clients only.
    Email(String),
    /// uniformResourceIdentifier; clients only, and never `urn:uuid:`, which names parties.
    Uri(String),
    /// iPAddress; servers only.
    Ip(IpAddr),
}

impl fmt::Display for AltName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(text) | Self::Email(text) | Self::Uri(text) => write!(f, "{}", text.escape_debug()),
            Self::Ip(address) => write!(f, "{address}"),
        }
    }
}

/// The time in which an issuer's certificate is valid; both ends inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First second.
    pub not_before: UnixTime,
    /// Last second.
    pub not_after: UnixTime,
}

/// Everything that will stand in one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What it is for.
    pub profile: Profile,
    /// The configuration's profile that it is of; `profile` is then what that is like.
    pub own: Option<Arc<OwnProfile>>,
    /// The registered name of the party (or the site); for the record, not in the certificate.
    pub party: String,
    /// The party's identifier, 36 lower-case characters; in the certificate as `urn:uuid:…`. Empty for servers.
    pub party_uuid: String,
    /// The subject's common name, up to 64 characters. A server may go without.
    pub common_name: String,
    /// Further names. At least one for a server.
    pub alt_names: Vec<AltName>,
    /// First second of validity.
    pub not_before: UnixTime,
    /// Last second of validity.
    pub not_after: UnixTime,
    /// The public key's SubjectPublicKeyInfo, DER.
    pub spki: Vec<u8>,
    /// Where the issuer's revocation list is fetched; `http://…`.
    pub crl_url: Option<String>,
    /// Which part of the issuer's revocation list it belongs to, 1 to 127: the first octet of its serial number.
    pub shard: u8,
    /// Where is told whether it is revoked (OCSP); `http://…`.
    pub ocsp_url: Option<String>,
}

impl Plan {
    /// A plan with the profile's own life from `now`, shortened to what the issuer's certificate still has. The
    /// common name is the party's; no further names, no list address.
    pub fn new(
        profile: Profile,
        party: &str,
        party_uuid: &str,
        spki: Vec<u8>,
        issuer: Window,
        now: UnixTime,
    ) -> Self {
        let life = i64::from(profile.life_days()) * DAY_SECONDS;
        Self {
            profile,
            own: None,
            party: party.to_owned(),
            party_uuid: party_uuid.to_owned(),
            common_name: party.to_owned(),
            alt_names: Vec::new(),
            not_before: now.plus(-LEAD_SECONDS).max(issuer.not_before),
            not_after: now.plus(life).min(issuer.not_after),
            spki,
            crl_url: None,
            shard: 1,
            ocsp_url: None,
        }
    }
}

impl Plan {
    /// A plan of a profile of the configuration, with its life and its names, as [`Plan::new`].
    pub fn of_own(
        own: Arc<OwnProfile>,
        party: &str,
        party_uuid: &str,
        spki: Vec<u8>,
        issuer: Window,
        now: UnixTime,
    ) -> Self {
        let life = i64::from(own.life_days) * DAY_SECONDS;
        Self {
            not_after: now.plus(life).min(issuer.not_after),
            alt_names: own.names_of(party),
            own: Some(own.clone()),
            ..Self::new(own.like, party, party_uuid, spki, issuer, now)
        }
    }

    /// The profile's name, as it stands on record.
    pub fn profile_name(&self) -> &str {
        self.own.as_ref().map_or(self.profile.word(), |own| &own.name)
    }

    /// The longest life that the profile allows, in days.
    pub fn life_days(&self) -> u32 {
        self.own.as_ref().map_or(self.profile.life_days(), |own| own.life_days)
    }
}

/// A plan that passed [`check`]. There is no other way to make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedPlan(Plan);

impl CheckedPlan {
    /// What was checked.
    pub fn plan(&self) -> &Plan {
        &self.0
    }
}

/// Why a certificate was not issued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// Longer than the profile allows.
    #[error("the certificate would last {asked} days; profile `{profile}` allows at most {most}")]
    ValidityTooLong {
        /// Days from now to its end, rounded up.
        asked: i64,
        /// Days that are allowed.
        most: u32,
        /// The profile's name.
        profile: String,
    },
    /// A party that its profile is not for.
    #[error("profile `{profile}` is not for `{party}`")]
    NotForParty {
        /// The party.
        party: String,
        /// The profile's name.
        profile: String,
    },
    /// A key of a kind that its profile does not take.
    #[error("profile `{profile}` takes keys of these kinds only: {taken}; this one is {found}")]
    KeyNotOfProfile {
        /// Kind and size of the key.
        found: String,
        /// The kinds that are taken.
        taken: String,
        /// The profile's name.
        profile: String,
    },
    /// Other names than its profile gives.
    #[error("the names in it are not those that profile `{profile}` gives")]
    NamesNotOfProfile {
        /// The profile's name.
        profile: String,
    },
    /// It would begin in the past.
    #[error("the certificate would begin at {asked}, more than 5 minutes before now")]
    Backdated {
        /// The beginning that was asked for.
        asked: UnixTime,
    },
    /// It would be over before it begins, or now.
    #[error("the certificate would end at {not_after}, before it is of any use")]
    AlreadyOver {
        /// The end that was asked for.
        not_after: UnixTime,
    },
    /// Outside the life of the issuer's own certificate.
    #[error("the certificate would last from {not_before} to {not_after}; the issuing CA lasts from {} to {}",
        issuer.not_before, issuer.not_after)]
    OutlivesIssuer {
        /// The beginning that was asked for.
        not_before: UnixTime,
        /// The end that was asked for.
        not_after: UnixTime,
        /// The issuer's life.
        issuer: Window,
    },
    /// A key that can be computed, or of an unknown kind.
    #[error("the public key is not accepted: {what}")]
    WeakKey {
        /// Kind and size.
        what: String,
    },
    /// The key's bytes are no SubjectPublicKeyInfo.
    #[error("the public key cannot be read")]
    UnreadableKey,
    /// A name that must not stand in a certificate.
    #[error("the {what} `{shown}` cannot stand in a certificate: {why}")]
    BadName {
        /// Which name.
        what: &'static str,
        /// The name, with controls escaped.
        shown: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A server certificate without a host name.
    #[error("a server certificate needs at least one DNS name or IP address")]
    NoServerName,
}

impl IssueError {
    /// What the requester can do next; printed after `help:`.
    pub fn remedy(&self) -> String {
        match self {
            Self::ValidityTooLong { most, .. } => format!("Ask for {most} days or fewer."),
            Self::NotForParty { profile, .. } => {
                format!("Use another profile, or name the party in `parties` of [profile.{profile}].")
            }
            Self::KeyNotOfProfile { taken, .. } => format!("Make a key of one of these kinds: {taken}."),
            Self::NamesNotOfProfile { .. } => "Leave the names to the profile.".into(),
            Self::Backdated { .. } => "Let the certificate begin now; check this machine's clock.".into(),
            Self::AlreadyOver { .. } => "Choose a later end.".into(),
            Self::OutlivesIssuer { issuer, .. } => {
                format!("Choose an end of {} or earlier, or renew the issuing CA first.", issuer.not_after)
            }
            Self::WeakKey { .. } => "Make a new key: ECDSA P-256, or RSA with 2048 bits or more.".into(),
            Self::UnreadableKey => "Create the request again.".into(),
            Self::BadName { .. } => "Give another name.".into(),
            Self::NoServerName => "Name the site's host.".into(),
        }
    }
}

/// Whether this plan may become a certificate of an issuer that lives in `issuer`, at `now`.
///
/// Refuses a beginning more than five minutes back, an end beyond the profile's life or the issuer's, a weak key,
/// and names that could be taken for another's or break what shows them. It never shortens or mends.
pub fn check(plan: Plan, issuer: Window, now: UnixTime) -> Result<CheckedPlan, IssueError> {
    check_life(&plan, issuer, now)?;
    let key = check_key(&plan.spki)?;
    own::check(&plan, &key)?;
    names::check(&plan)?;
    Ok(CheckedPlan(plan))
}

/// Whether a certificate of this profile may have this name beside its own.
pub fn check_name(profile: Profile, name: &AltName) -> Result<(), IssueError> {
    names::alt_name(profile, name)
}

fn check_life(plan: &Plan, issuer: Window, now: UnixTime) -> Result<(), IssueError> {
    let (not_before, not_after) = (plan.not_before, plan.not_after);
    if not_before < now.plus(-BACKDATING_SECONDS) {
        return Err(IssueError::Backdated { asked: not_before });
    }
    if not_after <= now || not_after <= not_before {
        return Err(IssueError::AlreadyOver { not_after });
    }
    let most = plan.life_days();
    let seconds = not_after.seconds() - now.seconds();
    if seconds > i64::from(most) * DAY_SECONDS {
        let asked = (seconds + DAY_SECONDS - 1) / DAY_SECONDS;
        return Err(IssueError::ValidityTooLong { asked, most, profile: plan.profile_name().to_owned() });
    }
    if not_before < issuer.not_before || not_after > issuer.not_after {
        return Err(IssueError::OutlivesIssuer { not_before, not_after, issuer });
    }
    Ok(())
}

fn check_key(spki: &[u8]) -> Result<PublicKey, IssueError> {
    let key = PublicKey::from_spki(spki).ok_or(IssueError::UnreadableKey)?;
    examiner::key_flaw(spki).map_or(Ok(key), |what| Err(IssueError::WeakKey { what }))
}

mod names;
mod own;
mod reason;

pub use own::{GRACE_MOST_DAYS, KeyKind, LIFE_MOST_DAYS, OwnProfile, Parties};
pub use reason::Reason;

#[cfg(test)]
mod tests;
