//! Profiles of the configuration: a built-in one with another life, other kinds of key, names made from the party's, and
//! a choice of who may have one.

use std::collections::BTreeSet;
use std::fmt;

use examiner::PublicKey;

use super::{AltName, IssueError, Plan, Profile};

/// The longest life that a profile may give, in days: that of an issuing CA.
pub const LIFE_MOST_DAYS: u32 = 5 * 365;
/// The longest grace, in days.
pub const GRACE_MOST_DAYS: u32 = 365;

/// What stands for the party's name in the names of a profile.
const PARTY: &str = "{party}";

/// A profile of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnProfile {
    /// Its name, which stands on record.
    pub name: String,
    /// The built-in profile that it is like: a person, a device or a service.
    pub like: Profile,
    /// The life that its certificates get, and at most, in days.
    pub life_days: u32,
    /// How many days after its end a certificate may still be renewed.
    pub grace_days: u32,
    /// The kinds of key it takes; any that are strong enough where empty.
    pub keys: Vec<KeyKind>,
    /// The names that stand in its certificates; `{party}` in them is the party's name.
    pub names: Vec<AltName>,
    /// Who may have one; everybody where absent.
    pub parties: Option<Parties>,
}

/// A kind of public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// Ed25519.
    Ed25519,
    /// RSA with at least so many bits.
    Rsa {
        /// Bits of the modulus.
        least_bits: u32,
    },
}

impl KeyKind {
    /// The kind of this word: `ecdsa-p256`, `ecdsa-p384`, `ecdsa-p521`, `ed25519`, or `rsa-BITS` with 2048 to 8192.
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "ecdsa-p256" => Self::P256,
            "ecdsa-p384" => Self::P384,
            "ecdsa-p521" => Self::P521,
            "ed25519" => Self::Ed25519,
            _ => {
                let least_bits = word.strip_prefix("rsa-")?.parse().ok()?;
                (2048..=8192).contains(&least_bits).then_some(Self::Rsa { least_bits })?
            }
        })
    }

    fn takes(self, key: &PublicKey) -> bool {
        match (self, key) {
            (Self::P256, PublicKey::P256)
            | (Self::P384, PublicKey::P384)
            | (Self::P521, PublicKey::P521)
            | (Self::Ed25519, PublicKey::Ed25519) => true,
            (Self::Rsa { least_bits }, PublicKey::Rsa { modulus_bits, .. }) => *modulus_bits >= least_bits,
            _ => false,
        }
    }
}

/// The word.
impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::P256 => f.write_str("ecdsa-p256"),
            Self::P384 => f.write_str("ecdsa-p384"),
            Self::P521 => f.write_str("ecdsa-p521"),
            Self::Ed25519 => f.write_str("ed25519"),
            Self::Rsa { least_bits } => write!(f, "rsa-{least_bits}"),
        }
    }
}

/// Parties by their names, and by the beginnings of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parties {
    /// Whole names.
    pub names: BTreeSet<String>,
    /// Beginnings: `kiosk-` for what is written as `kiosk-*`.
    pub beginnings: Vec<String>,
}

impl Parties {
    /// Whether this party is among them.
    pub fn have(&self, party: &str) -> bool {
        self.names.contains(party) || self.beginnings.iter().any(|begin| party.starts_with(begin))
    }
}

impl OwnProfile {
    /// The names that a certificate of this party has.
    pub fn names_of(&self, party: &str) -> Vec<AltName> {
        let filled = |text: &str| text.replace(PARTY, party);
        let all = self.names.iter().map(|name| match name {
            AltName::Dns(text) => AltName::Dns(filled(text)),
            AltName::Email(text) => AltName::Email(filled(text)),
            AltName::Uri(text) => AltName::Uri(filled(text)),
            AltName::Ip(address) => AltName::Ip(*address),
        });
        all.collect()
    }
}

/// Whether the plan is as its own profile says, where it has one.
pub(super) fn check(plan: &Plan, key: &PublicKey) -> Result<(), IssueError> {
    let Some(own) = &plan.own else { return Ok(()) };
    if own.parties.as_ref().is_some_and(|parties| !parties.have(&plan.party)) {
        return Err(IssueError::NotForParty { party: plan.party.clone(), profile: own.name.clone() });
    }
    if !own.keys.is_empty() && !own.keys.iter().any(|kind| kind.takes(key)) {
        let taken = own.keys.iter().map(KeyKind::to_string).collect::<Vec<_>>().join(", ");
        return Err(IssueError::KeyNotOfProfile { found: key.to_string(), taken, profile: own.name.clone() });
    }
    if plan.alt_names != own.names_of(&plan.party) {
        return Err(IssueError::NamesNotOfProfile { profile: own.name.clone() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_takes_its_keys_alone() {
        let rsa = |modulus_bits| PublicKey::Rsa { modulus_bits, exponent: Some(65_537) };
        let kind = |word| KeyKind::named(word).unwrap();
        assert!(kind("rsa-3072").takes(&rsa(3072)) && kind("rsa-3072").takes(&rsa(4096)));
        assert!(!kind("rsa-3072").takes(&rsa(3071)) && !kind("rsa-3072").takes(&PublicKey::P256));
        assert!(kind("ecdsa-p256").takes(&PublicKey::P256) && !kind("ecdsa-p256").takes(&PublicKey::P384));
        for word in ["ecdsa-p384", "ecdsa-p521", "ed25519", "rsa-2048", "rsa-8192"] {
            assert_eq!(kind(word).to_string(), word);
        }
        for word in ["", "rsa", "rsa-2047", "rsa-8193", "rsa-x", "p256", "dsa"] {
            assert_eq!(KeyKind::named(word), None, "{word}");
        }
    }

    #[test]
    fn parties_are_had_by_name_and_by_beginning() {
        let parties = Parties { names: ["alice".into()].into(), beginnings: vec!["kiosk-".into()] };
        for (name, has) in
            [("alice", true), ("alice2", false), ("kiosk-1", true), ("kiosk", false), ("bob", false)]
        {
            assert_eq!(parties.have(name), has, "{name}");
        }
    }
}
