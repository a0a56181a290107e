//! A name is not itself a public suffix.

use super::prelude::*;
use super::shared::{found, own_hosts};
use crate::dates::BASELINE;

pub static CHECK: Check = Check {
    id: "san-bare-public-suffix",
    severity: Severities::web(Error),
    clause: "BR section 3.2.2.4",
    expected: "a name that somebody registered",
    remedy: "Have it issued for the names themselves.",
    affected: "root programmes",
    in_force: Some(BASELINE),
    consequence_of: &["certificate-unreadable"],
    run: Run::HostNames(LEAVES, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    Outcome::all(own_hosts(certificate).filter_map(|(name, host)| {
        let suffix = context.suffixes().is_public_suffix(&host)?;
        let one = found(certificate, name, format!("{name} is a public suffix"));
        // A label alone is a top-level domain; the rest have an owner that may prove itself.
        Some(if suffix.is_registry && suffix.labels == 1 { one } else { one.severity(Notice) })
    }))
}
