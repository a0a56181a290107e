//! The Public Suffix List: under which names the public registers names. It is data of a day ([`DATED`]).

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::cert::UnixTime;
use crate::dates::day;

/// The day of the list.
pub const DATED: UnixTime = day(2023, 2, 9);

const TEXT: &str = include_str!("../data/public-suffixes.txt");

/// The part of a host name under which names are registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suffix {
    /// How many labels of the name it is, counted from the right.
    pub labels: usize,
    /// Whether a registry of ICANN's says so, and not the private owner of a domain.
    pub is_registry: bool,
}

#[derive(Clone, Copy)]
struct Rule {
    is_registry: bool,
    is_exception: bool,
}

fn rules() -> &'static HashMap<&'static str, Rule> {
    static RULES: OnceLock<HashMap<&'static str, Rule>> = OnceLock::new();
    RULES.get_or_init(|| {
        let mut is_registry = true;
        let mut rules = HashMap::new();
        for line in TEXT.lines().filter(|line| !line.starts_with("//")) {
            match (line.strip_prefix("==="), line.strip_prefix('!')) {
                (Some(section), _) => is_registry = section == "ICANN",
                (None, Some(name)) => drop(rules.insert(name, Rule { is_registry, is_exception: true })),
                (None, None) => drop(rules.insert(line, Rule { is_registry, is_exception: false })),
            }
        }
        rules
    })
}

/// The public suffix of a host name in lower case; `None` where its last label is on no list.
pub fn public_suffix(host: &str) -> Option<Suffix> {
    let starts = std::iter::once(0).chain(host.match_indices('.').map(|(at, _)| at + 1));
    let total = host.split('.').count();
    for (left_out, start) in starts.enumerate() {
        let name = &host[start..];
        let labels = total - left_out;
        if let Some(rule) = rules().get(name) {
            let labels = if rule.is_exception { labels - 1 } else { labels };
            return Some(Suffix { labels, is_registry: rule.is_registry });
        }
        if let Some((_, parent)) = name.split_once('.')
            && let Some(rule) = rules().get(format!("*.{parent}").as_str())
        {
            return Some(Suffix { labels, is_registry: rule.is_registry });
        }
    }
    None
}

/// Whether a host name in lower case is a public suffix itself.
pub fn is_public_suffix(host: &str) -> Option<Suffix> {
    public_suffix(host).filter(|suffix| suffix.labels == host.split('.').count())
}

/// Whether a label in lower case is a top-level domain.
pub fn is_top_level(label: &str) -> bool {
    // Names for special use that resolve somewhere although they are not delegated (RFC 7686, RFC 3172).
    label == "onion" || label == "arpa" || public_suffix(label).is_some_and(|suffix| suffix.is_registry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_is_found_by_the_longest_rule() {
        for (host, labels) in [
            ("example.com", Some(1)),
            ("www.example.co.uk", Some(2)),
            ("a.b.ck", Some(2)),
            ("www.ck", Some(1)),
            ("city.kawasaki.jp", Some(2)),
            ("x.github.io", Some(2)),
            ("example.internal", None),
        ] {
            assert_eq!(public_suffix(host).map(|suffix| suffix.labels), labels, "{host}");
        }
        assert!(is_public_suffix("co.uk").is_some_and(|suffix| suffix.is_registry));
        assert!(is_public_suffix("github.io").is_some_and(|suffix| !suffix.is_registry));
        assert!(is_public_suffix("example.com").is_none());
        assert!(is_top_level("com") && !is_top_level("local"));
    }
}
