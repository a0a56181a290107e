//! Lists of what root programmes and others say of roots.
//!
//! A list is text, with a head as other lists have it, and one fact on each line: the SHA-256 of the certificate, a word,
//! and what the word asks for.
//!
//! ```text
//! kind: roots
//! made: 2026-05-01
//! 3b1f… in Mozilla
//! 3b1f… distrust-after 2026-10-31 Chrome
//! 3b1f… permits gov.example,edu.example Mozilla
//! 3b1f… added 2025-06-01 Firefox 140
//! 3b1f… ev 2.23.140.1.1
//! 3b1f… interception Example Proxy
//! 3b1f… owner Example Trust Services
//! ```
//!
//! [`RootList::shipped`] holds what is built in. [`crate::side::SideFiles::root_lists`] holds what was given beside it.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::cert::{Thumbprint, UnixTime};

/// Facts about roots.
#[derive(Clone, Debug)]
pub struct RootList {
    /// When the list was made.
    pub made: UnixTime,
    facts: HashMap<Thumbprint, Vec<RootFact>>,
}

/// One fact about a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootFact {
    /// It is in the public root store of this name.
    In(String),
    /// Certificates under it that were made after this day are not trusted by whom the text names.
    DistrustAfter(UnixTime, String),
    /// Names under these domains alone are taken from it by whom the text names.
    Permits(Vec<String>, String),
    /// On this day it came into the store of the client that the text names.
    Added(UnixTime, String),
    /// It may issue extended validation under this policy, dotted.
    Extended(String),
    /// What the text names uses it to read others' connections.
    Interception(String),
    /// The CA owner that the text names has its key.
    Owner(String),
}

/// A text that is no list of roots.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the list of roots: expected {expected}")]
pub struct RootListError {
    /// Its number, from 1; 0 for the whole.
    pub line: usize,
    /// What ought to stand there.
    pub expected: &'static str,
}

impl RootList {
    /// Reads a list. A line that is none fails the whole: half a list would pass roots in silence.
    pub fn read(text: &str) -> Result<Self, RootListError> {
        let (mut is_ours, mut made) = (false, None);
        let mut facts: HashMap<Thumbprint, Vec<RootFact>> = HashMap::new();
        for (at, line) in text.lines().enumerate() {
            let wrong = |expected| RootListError { line: at + 1, expected };
            let line = line.split('#').next().unwrap_or_default().trim();
            if let Some(kind) = line.strip_prefix("kind:") {
                is_ours = kind.trim() == "roots";
            } else if let Some(day) = line.strip_prefix("made:") {
                let day = UnixTime::parse(day.trim());
                made = Some(day.map_err(|_| wrong("a day such as 2026-05-01"))?);
            } else if !line.is_empty() {
                let (root, fact) = line.split_once(' ').ok_or_else(|| wrong("a digest and a fact"))?;
                let root = Thumbprint::from_hex(root).ok_or_else(|| wrong("64 hexadecimal digits"))?;
                let fact = RootFact::read(fact.trim())
                    .ok_or_else(|| wrong("in, distrust-after, permits, added, ev, interception or owner"))?;
                facts.entry(root).or_default().push(fact);
            }
        }
        if !is_ours {
            return Err(RootListError { line: 0, expected: "`kind: roots` in its head" });
        }
        let made = made.ok_or(RootListError { line: 0, expected: "`made:` and a day in its head" })?;
        Ok(Self { made, facts })
    }

    /// The list that is built in.
    pub fn shipped() -> &'static Self {
        static SHIPPED: OnceLock<RootList> = OnceLock::new();
        SHIPPED.get_or_init(|| {
            // A test reads the built-in list; an empty one says nothing of any root.
            Self::read(include_str!("../../data/roots.txt"))
                .unwrap_or_else(|_| Self { made: UnixTime::default(), facts: HashMap::new() })
        })
    }

    /// What the list says of a root.
    pub fn of(&self, root: &Thumbprint) -> &[RootFact] {
        self.facts.get(root).map_or(&[], Vec::as_slice)
    }

    /// What the list says of each root, in no order.
    pub fn roots(&self) -> impl Iterator<Item = (&Thumbprint, &[RootFact])> {
        self.facts.iter().map(|(root, facts)| (root, facts.as_slice()))
    }

    /// Every fact of the list, in no order.
    pub fn facts(&self) -> impl Iterator<Item = &RootFact> {
        self.facts.values().flatten()
    }
}

impl RootFact {
    fn read(text: &str) -> Option<Self> {
        let (word, rest) = text.split_once(' ')?;
        let pair = || rest.split_once(' ').map(|(first, who)| (first, who.trim().to_owned()));
        let day = || pair().and_then(|(day, who)| Some((UnixTime::parse(day).ok()?, who)));
        Some(match word {
            "in" => Self::In(rest.to_owned()),
            "distrust-after" => day().map(|(day, who)| Self::DistrustAfter(day, who))?,
            "added" => day().map(|(day, who)| Self::Added(day, who))?,
            "permits" => pair().map(|(names, who)| {
                Self::Permits(names.split(',').map(str::to_ascii_lowercase).collect(), who)
            })?,
            "ev" => Self::Extended(rest.to_owned()),
            "interception" => Self::Interception(rest.to_owned()),
            "owner" => Self::Owner(rest.to_owned()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_list_reads() {
        let shipped = RootList::shipped();
        assert!(shipped.facts().filter(|fact| matches!(fact, RootFact::In(_))).count() > 100);
        assert!(shipped.facts().any(|fact| matches!(fact, RootFact::DistrustAfter(..))));
        assert!(shipped.facts().any(|fact| matches!(fact, RootFact::Permits(names, _) if names.len() > 5)));
    }

    #[test]
    fn a_list_that_is_not_whole_is_refused() {
        let head = "kind: roots\nmade: 2026-05-01\n";
        let digest = "ab".repeat(32);
        let line = |text: &str| RootList::read(&format!("{head}{text}\n")).map_err(|error| error.line);
        assert!(line(&format!("{digest} in Mozilla # a remark")).is_ok());
        for wrong in [
            "ab in Mozilla",
            "nothing",
            &format!("{digest} loves Mozilla"),
            &format!("{digest} added soon Firefox"),
        ] {
            assert_eq!(line(wrong).err(), Some(3), "{wrong}");
        }
        assert_eq!(RootList::read("made: 2026-05-01\n").map(|_| ()).map_err(|error| error.line), Err(0));
        assert_eq!(RootList::read("kind: roots\n").map(|_| ()).map_err(|error| error.line), Err(0));
    }
}
