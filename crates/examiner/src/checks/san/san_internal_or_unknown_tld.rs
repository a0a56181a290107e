//! A public name ends in a top-level domain that exists.

use super::prelude::*;
use super::shared::{found, own_hosts};
use crate::dates::BASELINE;
use crate::suffixes::{DATED, is_top_level};
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

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let unknown = own_hosts(certificate).filter(|(_, host)| {
        let last = host.rsplit('.').next().unwrap_or_default();
        !host.is_empty() && !last.is_empty() && host.parse::<IpAddr>().is_err() && !is_top_level(last)
    });
    Outcome::all(unknown.map(|(name, _)| {
        found(
            certificate,
            name,
            format!("{name} ends in no top-level domain of the list of {}", DATED.date()),
        )
        .likely()
    }))
}
