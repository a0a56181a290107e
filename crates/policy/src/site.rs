//! A protected site's rules.

use std::sync::Arc;

use examiner::UnixTime;

use crate::host::HostName;
use crate::path::NormalPath;
use crate::verify::AnchorSet;

/// A protected host name with its rules; where its requests go is the gateway's business.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its normalised host name; for the admin address a name of its own.
    pub name: HostName,
    /// Who may enter: operators on the admin address, parties elsewhere.
    pub audience: Audience,
    /// Who may enter by the configuration file; grants in the registry are added.
    pub allow: Vec<Principal>,
    /// Who may not, whatever else says they may.
    pub deny: Vec<Principal>,
    /// How a refusal is told.
    pub on_refuse: OnRefuse,
    /// Until when (inclusive) what would be refused is let through without identity, where that is allowed.
    pub observe_until: Option<UnixTime>,
    /// Rules for paths, the longest prefix first.
    pub paths: Vec<PathRule>,
    /// The trust anchors its visitors' chains are verified against.
    pub anchors: Arc<AnchorSet>,
    /// Whether connections without SNI reach this site.
    pub is_default: bool,
    /// Seconds that notBefore may lie ahead; 0 to 300.
    pub clock_tolerance: i64,
}

/// Whom a site is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Parties.
    Parties,
    /// Operators: the admin address.
    Operators,
}

/// How a refusal is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRefuse {
    /// As a page or problem details after a completed handshake.
    Page,
    /// As a TLS alert, once possession of the key is proved.
    Handshake,
}

/// An entry of an allow or deny list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A party by its id: an own name, or `ca/NAME[/TYPE/VALUE]`.
    Party(String),
    /// `group:NAME`.
    Group(String),
    /// `ca:NAME`: whoever was admitted by that CA (in deny: whoever's chain leads to it).
    Ca(String),
}

/// Whether a path asks for an admitted party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// An admitted party is required.
    Required,
    /// No certificate passes without identity; one that is shown and not admitted is refused.
    Optional,
    /// Anyone passes, without identity.
    Off,
}

/// A rule for paths at or below a prefix.
#[derive(Clone, Debug)]
pub struct PathRule {
    /// Whole segments; the longest fitting prefix wins.
    pub prefix: NormalPath,
    /// Replaces the site's allow list and grants.
    pub allow: Option<Vec<Principal>>,
    /// Replaces the site's deny list.
    pub deny: Option<Vec<Principal>>,
    /// Whether an admitted party is required here.
    pub client_auth: ClientAuth,
}

/// Which rule of a site a request falls under: an index into [`Site::paths`], or none.
pub type RuleIndex = Option<usize>;

impl Principal {
    /// Parses a list entry: a party's name or id, `group:NAME`, `ca:NAME`.
    pub fn parse(text: &str) -> Result<Self, crate::names::NameError> {
        let named = |name: &str| {
            if crate::names::is_name(name) {
                Ok(name.to_owned())
            } else {
                Err(crate::names::NameError(text.to_owned()))
            }
        };
        if let Some(group) = text.strip_prefix("group:") {
            return named(group).map(Self::Group);
        }
        if let Some(ca) = text.strip_prefix("ca:") {
            return named(ca).map(Self::Ca);
        }
        if text.starts_with("ca/") && text.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(Self::Party(text.to_owned()));
        }
        named(text).map(Self::Party)
    }
}

impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Party(name) => f.write_str(name),
            Self::Group(name) => write!(f, "group:{name}"),
            Self::Ca(name) => write!(f, "ca:{name}"),
        }
    }
}

impl Site {
    /// The rule for this path. `Err` where a `;` makes it unclear which rule the upstream would apply.
    pub fn rule(&self, path: &NormalPath) -> Result<RuleIndex, crate::path::AmbiguousPath> {
        let of = |path: &NormalPath| self.paths.iter().position(|rule| path.starts_with(&rule.prefix));
        let found = of(path);
        if path.has_parameters() && (found.is_some() || of(&path.without_parameters()).is_some()) {
            return Err(crate::path::AmbiguousPath("a `;` stands in a path under a rule"));
        }
        Ok(found)
    }

    /// Whether the site has rules for paths at all; without them paths go on as they came.
    pub fn has_path_rules(&self) -> bool {
        !self.paths.is_empty()
    }

    /// What the rule asks for.
    pub fn client_auth(&self, rule: RuleIndex) -> ClientAuth {
        rule.map_or(ClientAuth::Required, |index| self.paths[index].client_auth)
    }

    /// Paths that let anyone in.
    pub fn open_paths(&self) -> impl Iterator<Item = &PathRule> {
        self.paths.iter().filter(|rule| rule.client_auth != ClientAuth::Required)
    }
}
