//! A public name ends in a top-level domain that exists.

use super::prelude::*;
use super::shared::{found, own_hosts};
use crate::dates::BASELINE;
use crate::side::OLD_AFTER_DAYS;
use std::net::IpAddr;

pub static CHECK: Check = Check {
    id: "san-internal-or-unknown-tld",
    severity: Severities::web(Error),
    clause: "BR section 4.2.2",
    expected: "a name below a delegated top-level domain",
    remedy: "Use a public name, or a private CA for internal ones.",
    affected: "root programmes; the CA may have to revoke it",
    in_force: Some(BASELINE),
    consequence_of: &[
        "certificate-unreadable",
        "san-dns-leading-dot-or-space",
        "san-label-syntax",
        "san-wildcard-bare-or-partial",
    ],
    run: Run::HostNames(LEAVES, run),
};

/// Last labels that stand for no public domain, now or later (RFC 6761, RFC 6762 appendix G, RFC 9476, ICANN's
/// resolutions on `.internal` and on name collisions).
const NEVER: &[&str] = &[
    "alt",
    "corp",
    "example",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localhost",
    "mail",
    "private",
    "test",
];

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let list = context.suffixes();
    let last = |host: &str| host.rsplit('.').next().unwrap_or_default().to_owned();
    let mut unknown: Vec<_> = own_hosts(certificate)
        .filter(|(_, host)| {
            let last = last(host);
            !host.is_empty()
                && !last.is_empty()
                && host.parse::<IpAddr>().is_err()
                && !list.is_top_level(&last)
        })
        .collect();
    let age = context.at.seconds().saturating_sub(list.made.seconds()) / 86_400;
    let is_new = |host: &str| host.contains('.') && !NEVER.contains(&last(host).as_str());
    let all = unknown.len();
    if age > OLD_AFTER_DAYS {
        // Since the list was made, domains came up.
        unknown.retain(|(_, host)| !is_new(host));
    }
    if unknown.is_empty() && all > 0 {
        let why = format!(
            "whether its names end in a top-level domain: the list of them is {age} days old (--suffix-list)"
        );
        return Outcome::CannotTell(Needs::List, why);
    }
    Outcome::all(unknown.into_iter().map(|(name, _)| {
        let observed = format!("{name} ends in no top-level domain of the list of {}", list.made.date());
        found(certificate, name, observed).likely()
    }))
}
