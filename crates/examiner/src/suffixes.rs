//! The Public Suffix List: under which names the public registers names.
//!
//! It is read in the form in which it is published (`public_suffix_list.dat`), with its day in a line `// VERSION:`.
//! [`SuffixList::shipped`] is built in; [`crate::side::SideFiles::suffixes`] holds a newer one that was given.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::cert::UnixTime;

/// Rules of the list, and its day.
#[derive(Clone, Debug)]
pub struct SuffixList {
    /// When the list was made.
    pub made: UnixTime,
    rules: Arc<HashMap<String, Rule>>,
}

/// A text that is no Public Suffix List.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SuffixListError {
    /// Its day is missing.
    #[error("the list of public suffixes has no line `// VERSION:` with its day")]
    Day,
    /// It has no rules of registries.
    #[error("the list of public suffixes has no rules between `===BEGIN ICANN DOMAINS===` and its end")]
    Empty,
    /// A line is no name.
    #[error("line {0} of the list of public suffixes is no name")]
    Line(usize),
}

/// The part of a host name under which names are registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suffix {
    /// How many labels of the name it is, counted from the right.
    pub labels: usize,
    /// Whether a registry of ICANN's says so, and not the private owner of a domain.
    pub is_registry: bool,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    is_registry: bool,
    is_exception: bool,
}

impl SuffixList {
    /// Reads a list. A line that is none fails the whole: half a list would call domains unknown.
    pub fn read(text: &str) -> Result<Self, SuffixListError> {
        let mut rules = HashMap::new();
        let (mut made, mut is_registry) = (None, false);
        for (at, line) in text.lines().enumerate() {
            if let Some(remark) = line.strip_prefix("//") {
                let remark = remark.trim();
                if let Some(day) = remark.strip_prefix("VERSION:") {
                    made = day.trim().get(..10).and_then(|day| UnixTime::parse(day).ok());
                } else if remark.starts_with("===") {
                    is_registry = remark == "===BEGIN ICANN DOMAINS===";
                }
                continue;
            }
            // A rule ends at the first blank.
            let Some(rule) = line.split_whitespace().next() else { continue };
            let (is_exception, name) = rule.strip_prefix('!').map_or((false, rule), |name| (true, name));
            let (stars, name) = name.strip_prefix("*.").map_or(("", name), |name| ("*.", name));
            let name = idna::domain_to_ascii(name).ok().filter(|name| is_name(name));
            let name = name.ok_or(SuffixListError::Line(at + 1))?;
            rules.insert(format!("{stars}{name}"), Rule { is_registry, is_exception });
        }
        if !rules.values().any(|rule| rule.is_registry) {
            return Err(SuffixListError::Empty);
        }
        Ok(Self { made: made.ok_or(SuffixListError::Day)?, rules: Arc::new(rules) })
    }

    /// The list that is built in.
    pub fn shipped() -> &'static Self {
        static SHIPPED: OnceLock<SuffixList> = OnceLock::new();
        SHIPPED.get_or_init(|| {
            // A test reads the built-in list.
            let empty = |_| Self { made: UnixTime::default(), rules: Arc::default() };
            Self::read(include_str!("../data/public-suffixes.txt")).unwrap_or_else(empty)
        })
    }

    /// The public suffix of a host name in lower case; `None` where its last label is on no list.
    pub fn public_suffix(&self, host: &str) -> Option<Suffix> {
        let starts = std::iter::once(0).chain(host.match_indices('.').map(|(at, _)| at + 1));
        let total = host.split('.').count();
        for (left_out, start) in starts.enumerate() {
            let name = &host[start..];
            let labels = total - left_out;
            if let Some(rule) = self.rules.get(name) {
                let labels = if rule.is_exception { labels - 1 } else { labels };
                return Some(Suffix { labels, is_registry: rule.is_registry });
            }
            if let Some((_, parent)) = name.split_once('.')
                && let Some(rule) = self.rules.get(format!("*.{parent}").as_str())
            {
                return Some(Suffix { labels, is_registry: rule.is_registry });
            }
        }
        None
    }

    /// The same, where the host name is a public suffix itself.
    pub fn is_public_suffix(&self, host: &str) -> Option<Suffix> {
        self.public_suffix(host).filter(|suffix| suffix.labels == host.split('.').count())
    }

    /// Whether a label in lower case is a top-level domain.
    pub fn is_top_level(&self, label: &str) -> bool {
        // Names for special use that resolve somewhere although they are not delegated (RFC 7686, RFC 3172).
        label == "onion"
            || label == "arpa"
            || self.public_suffix(label).is_some_and(|suffix| suffix.is_registry)
    }
}

/// Whether it is one label or more, of the letters that host names have.
fn is_name(text: &str) -> bool {
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_is_found_by_the_longest_rule() {
        let list = SuffixList::shipped();
        for (host, labels) in [
            ("example.com", Some(1)),
            ("www.example.co.uk", Some(2)),
            ("a.b.ck", Some(2)),
            ("www.ck", Some(1)),
            ("city.kawasaki.jp", Some(2)),
            ("x.github.io", Some(2)),
            ("example.internal", None),
        ] {
            assert_eq!(list.public_suffix(host).map(|suffix| suffix.labels), labels, "{host}");
        }
        assert!(list.is_public_suffix("co.uk").is_some_and(|suffix| suffix.is_registry));
        assert!(list.is_public_suffix("github.io").is_some_and(|suffix| !suffix.is_registry));
        assert!(list.is_public_suffix("example.com").is_none());
        assert!(list.is_top_level("com") && !list.is_top_level("local"));
        assert_eq!(list.made.date(), "2023-02-09");
    }

    #[test]
    fn a_list_is_read_as_it_is_published() {
        let list = "// VERSION: 2026-11-01_08-00-00_UTC\n// ===BEGIN ICANN DOMAINS===\n\n// new\nnew\n栃木.jp a remark\n\
                    // ===END ICANN DOMAINS===\n// ===BEGIN PRIVATE DOMAINS===\n*.owner.new\n!own.owner.new\n";
        let list = SuffixList::read(list).unwrap();
        assert_eq!(list.made.date(), "2026-11-01");
        assert!(list.is_top_level("new") && !list.is_top_level("com"));
        assert!(list.is_public_suffix("xn--4pvxs.jp").is_some_and(|suffix| suffix.is_registry));
        assert!(list.is_public_suffix("a.owner.new").is_some_and(|suffix| !suffix.is_registry));
        assert!(list.is_public_suffix("own.owner.new").is_none());
    }

    #[test]
    fn a_list_that_is_not_whole_is_refused() {
        let read = |text: &str| SuffixList::read(text).err();
        assert_eq!(read("// ===BEGIN ICANN DOMAINS===\ncom\n"), Some(SuffixListError::Day));
        assert_eq!(read("// VERSION: soon\n// ===BEGIN ICANN DOMAINS===\ncom\n"), Some(SuffixListError::Day));
        assert_eq!(read("// VERSION: 2026-11-01\ncom\n"), Some(SuffixListError::Empty));
        assert_eq!(read("// VERSION: 2026-11-01\n<html>\n"), Some(SuffixListError::Line(2)));
    }
}
