//! The chain in the order in which it is drawn: from the server's own certificate up to the trust anchor, with what is
//! missing in its place and what does not belong below.

use super::{Link, Missing, Report, Severity};
use crate::chain::Role;

/// One box of the picture.
pub(super) enum Box<'a> {
    /// A certificate that is there.
    There(&'a Link),
    /// A certificate that is missing.
    Missing(&'a Missing),
}

impl Box<'_> {
    /// What the certificate is called.
    pub(super) fn title(&self) -> String {
        let name = match self {
            Self::There(link) => link.title.clone(),
            Self::Missing(missing) => called(&missing.name),
        };
        if name.is_empty() { "(no name)".into() } else { name }
    }

    /// What is to be said of it in a few words.
    pub(super) fn about(&self) -> String {
        match self {
            Self::There(link) => {
                let part = match link.role {
                    Role::EndEntity => "the server's or client's own",
                    Role::Intermediate => "intermediate",
                    Role::Root => "root",
                };
                let from = match link.source {
                    super::Source::Served => "served",
                    super::Source::Beside => "not served, at hand",
                    super::Source::Anchor => "trust anchor",
                };
                let ends = link.not_after.map(|last| format!(", until {}", last.date())).unwrap_or_default();
                format!("{part}, {from}{ends}")
            }
            Self::Missing(missing) => match missing.at_hand {
                Some(_) => "MISSING from what is served; at hand".into(),
                None => "MISSING from what is served".into(),
            },
        }
    }

    /// The worst finding about it.
    pub(super) fn worst(&self, report: &Report) -> Option<Severity> {
        match self {
            Self::There(link) => {
                let own = report
                    .findings
                    .iter()
                    .filter(|finding| finding.index == link.index && !finding.is_of_host);
                own.map(|finding| finding.severity).min()
            }
            Self::Missing(_) => Some(Severity::Error),
        }
    }
}

/// The boxes of the path, and the links that stand on none.
pub(super) fn boxes(report: &Report) -> (Vec<Box<'_>>, Vec<&Link>) {
    let mut path: Vec<Box<'_>> = Vec::new();
    let mut drawn: Vec<usize> = Vec::new();
    let mut next = report.chain.first();
    while let Some(link) = next {
        drawn.push(link.index);
        path.push(Box::There(link));
        let mut name = &link.issuer;
        let mut below = link.index;
        // A missing certificate that is at hand leads on to its own issuer.
        while let Some(missing) = report.missing.iter().find(|missing| missing.issuer_of == below) {
            path.push(Box::Missing(missing));
            let Some(beside) = missing.at_hand.and_then(|index| linked(report, index)) else { break };
            if drawn.contains(&beside.index) {
                break;
            }
            drawn.push(beside.index);
            (name, below) = (&beside.issuer, beside.index);
        }
        let is_end = linked(report, below).is_some_and(|link| link.subject == link.issuer && link.index > 0);
        let issuers = report.chain.iter().filter(|one| one.subject == *name && !name.is_empty());
        // An anchor ends the path; then in the order served.
        next = issuers
            .filter(|one| !is_end && !drawn.contains(&one.index))
            .min_by_key(|one| (one.source != super::Source::Anchor, one.index));
    }
    let others = report.chain.iter().filter(|link| !drawn.contains(&link.index)).collect();
    (path, others)
}

fn linked(report: &Report, index: usize) -> Option<&Link> {
    report.chain.iter().find(|link| link.index == index)
}

/// The common name in RFC 4514 text, else the whole.
fn called(name: &str) -> String {
    name.split(',').find_map(|part| part.strip_prefix("CN=")).unwrap_or(name).to_owned()
}
