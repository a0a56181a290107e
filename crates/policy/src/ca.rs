//! A trusted issuer: its certificates, and which of its certificates lead to a party.

use examiner::{Certificate, GeneralName, UnixTime};

/// The name of the own authority's client CA in rules: `ca:own`.
pub const OWN_CA: &str = "own";

/// An issuer attached to sites.
#[derive(Clone, Debug)]
pub struct Ca {
    /// Its name in rules: `ca:NAME`.
    pub name: String,
    /// The trust anchors, at least one.
    pub anchors: Vec<Certificate>,
    /// Intermediates known for it, so that a chain without one can be told from a stranger's.
    pub intermediates: Vec<Certificate>,
    /// Which of its certificates lead to a party.
    pub admission: Admission,
    /// From which value the party's name is taken.
    pub name_from: Option<MatchKind>,
    /// The client usage may be missing until then (inclusive).
    pub without_client_usage_until: Option<UnixTime>,
}

/// Which certificates of an issuer lead to a party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Those that fit one of the entries.
    Match(Vec<MatchEntry>),
    /// Everyone with a certificate from that issuer.
    Any,
    /// Only those with a subject rule on this CA.
    NamedOnly,
    /// The own authority's: only certificates on record.
    OnRecord,
}

/// Conditions that must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchEntry(pub Vec<Condition>);

/// One condition: some value of this kind fits the pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Which values.
    pub kind: MatchKind,
    /// What one of them must be; `*` is one leftmost DNS label or a whole mail local part.
    pub pattern: String,
}

/// Where in the certificate a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatchKind {
    /// `san:dns`.
    SanDns,
    /// `san:email`.
    SanEmail,
    /// `san:uri`.
    SanUri,
    /// `subject:cn` and its like, by dotted attribute type.
    Subject {
        /// The attribute type, dotted.
        oid: String,
        /// As the rule wrote it, such as `cn`.
        name: String,
    },
    /// `policy`.
    Policy,
}

/// A rule's text that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatchError {
    /// There is no such kind.
    #[error("`{0}` is no kind of value: use san:dns, san:email, san:uri, subject:cn (o, ou, …) or policy")]
    Kind(String),
    /// No `=` in a condition.
    #[error("`{0}` has no `=`: write it like san:dns=*.acme.example")]
    NoEquals(String),
    /// A pattern that cannot match as meant.
    #[error(
        "`{0}` cannot match: `*` stands only for one leftmost DNS label (*.acme.example) or a whole mail local part (*@acme.example)"
    )]
    Pattern(String),
}

impl MatchKind {
    /// Parses `san:dns`, `san:email`, `san:uri`, `subject:TYPE`, `policy`.
    pub fn parse(text: &str) -> Result<Self, MatchError> {
        match text {
            "san:dns" => Ok(Self::SanDns),
            "san:email" => Ok(Self::SanEmail),
            "san:uri" => Ok(Self::SanUri),
            "policy" => Ok(Self::Policy),
            _ => {
                let unknown = || MatchError::Kind(text.to_owned());
                let name = text.strip_prefix("subject:").ok_or_else(unknown)?;
                let oid = examiner::cert::oid::attribute_oid(name).ok_or_else(unknown)?;
                Ok(Self::Subject { oid, name: name.to_ascii_lowercase() })
            }
        }
    }

    /// The values of this kind that may match at all: no NUL, control or `*`, and ASCII only for DNS names.
    pub fn values<'a>(&'a self, certificate: &'a Certificate) -> Vec<&'a str> {
        let san = |pick: fn(&GeneralName) -> Option<&String>| -> Vec<&'a str> {
            certificate.subject_alt_names.iter().filter_map(pick).map(String::as_str).collect()
        };
        let mut values = match self {
            Self::SanDns => san(|n| if let GeneralName::Dns(v) = n { Some(v) } else { None }),
            Self::SanEmail => san(|n| if let GeneralName::Email(v) = n { Some(v) } else { None }),
            Self::SanUri => san(|n| if let GeneralName::Uri(v) = n { Some(v) } else { None }),
            Self::Subject { oid, .. } => certificate.subject.values(oid).collect(),
            Self::Policy => certificate.policies.iter().map(String::as_str).collect(),
        };
        values.retain(|v| !v.is_empty() && !v.chars().any(|c| c.is_control() || c == '*'));
        if *self == Self::SanDns {
            values.retain(|v| v.is_ascii());
        }
        values
    }

    fn fits(&self, value: &str, pattern: &str) -> bool {
        match self {
            Self::SanDns => match pattern.strip_prefix("*.") {
                Some(parent) => value
                    .split_once('.')
                    .is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(parent)),
                None => value.eq_ignore_ascii_case(pattern),
            },
            Self::SanEmail => {
                let (Some((local, domain)), Some((wanted, wanted_domain))) =
                    (value.rsplit_once('@'), pattern.rsplit_once('@'))
                else {
                    return false;
                };
                let local_fits = if wanted == "*" { !local.is_empty() } else { local == wanted };
                local_fits && domain.eq_ignore_ascii_case(wanted_domain)
            }
            _ => value == pattern,
        }
    }
}

impl std::fmt::Display for MatchKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SanDns => f.write_str("san:dns"),
            Self::SanEmail => f.write_str("san:email"),
            Self::SanUri => f.write_str("san:uri"),
            Self::Subject { name, .. } => write!(f, "subject:{name}"),
            Self::Policy => f.write_str("policy"),
        }
    }
}

impl MatchEntry {
    /// Parses conditions joined by ` and `, such as `san:dns=*.acme.example and subject:o=Acme`.
    pub fn parse(text: &str) -> Result<Self, MatchError> {
        let mut conditions = Vec::new();
        for part in text.split(" and ") {
            let (kind, pattern) =
                part.trim().split_once('=').ok_or_else(|| MatchError::NoEquals(part.trim().to_owned()))?;
            let kind = MatchKind::parse(kind.trim())?;
            let pattern = pattern.trim().to_owned();
            let plain = match kind {
                MatchKind::SanDns => pattern.strip_prefix("*.").unwrap_or(&pattern),
                MatchKind::SanEmail => match pattern.rsplit_once('@') {
                    Some((_, "")) | None => "*",
                    Some(("*", domain)) => domain,
                    Some((_, _)) => &pattern,
                },
                _ => &pattern,
            };
            if plain.is_empty() || plain.chars().any(|c| c == '*' || c.is_control()) {
                return Err(MatchError::Pattern(pattern));
            }
            if kind == MatchKind::SanDns && !plain.is_ascii() {
                return Err(MatchError::Pattern(pattern));
            }
            conditions.push(Condition { kind, pattern });
        }
        Ok(Self(conditions))
    }

    /// Whether all conditions hold, each by some value of its kind.
    pub fn fits(&self, certificate: &Certificate) -> bool {
        self.0.iter().all(|c| !c.fitting(certificate).is_empty())
    }
}

impl std::fmt::Display for MatchEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text: Vec<String> = self.0.iter().map(|c| format!("{}={}", c.kind, c.pattern)).collect();
        f.write_str(&text.join(" and "))
    }
}

impl Condition {
    fn fitting<'a>(&'a self, certificate: &'a Certificate) -> Vec<&'a str> {
        let mut values = self.kind.values(certificate);
        values.retain(|value| self.kind.fits(value, &self.pattern));
        values
    }
}

impl Ca {
    /// Whether the certificate fits this CA's admission (its chain is verified elsewhere).
    pub fn fits(&self, certificate: &Certificate) -> bool {
        match &self.admission {
            Admission::Match(entries) => entries.iter().any(|entry| entry.fits(certificate)),
            Admission::Any => true,
            Admission::NamedOnly | Admission::OnRecord => false,
        }
    }

    /// The party's id: `ca/NAME`, or with `name_from` `ca/NAME/TYPE/VALUE` by the one value that satisfied `match`.
    /// `None` where no value or several did.
    pub fn party_id(&self, certificate: &Certificate) -> Option<String> {
        let Some(kind) = &self.name_from else { return Some(format!("ca/{}", self.name)) };
        let mut values: Vec<&str> = match &self.admission {
            Admission::Match(entries) => entries
                .iter()
                .filter(|entry| entry.fits(certificate))
                .flat_map(|entry| {
                    entry.0.iter().filter(|c| c.kind == *kind).flat_map(|c| c.fitting(certificate))
                })
                .collect(),
            _ => kind.values(certificate),
        };
        values.sort_unstable();
        values.dedup();
        let [value] = values[..] else { return None };
        Some(format!("ca/{}/{kind}/{}", self.name, encode_id(value)))
    }
}

/// Percent-encodes everything outside `A-Za-z0-9._@-`.
fn encode_id(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'@' | b'-');
    value.bytes().map(|b| if plain(b) { (b as char).to_string() } else { format!("%{b:02X}") }).collect()
}
