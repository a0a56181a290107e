//! A wildcard does not span the names of a whole registry.

use super::prelude::*;
use super::shared::{found, own_hosts};
use crate::dates::BASELINE;

pub static CHECK: Check = Check {
    id: "san-wildcard-public-suffix",
    severity: Severities::web(Error),
    clause: "BR section 3.2.2.6",
    expected: "a wildcard below a name that one owner has",
    remedy: "Have it issued for the names themselves.",
    affected: "root programmes; several clients match no such name",
    in_force: Some(BASELINE),
    consequence_of: &["certificate-unreadable"],
    run: Run::HostNames(LEAVES, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    Outcome::all(own_hosts(certificate).filter_map(|(name, host)| {
        let suffix = context.suffixes().is_public_suffix(host.strip_prefix("*.")?)?;
        let one = found(certificate, name, format!("{name} spans a public suffix"));
        // Who owns a private suffix may have a wildcard for it.
        Some(if suffix.is_registry { one } else { one.severity(Notice) })
    }))
}
