//! A public host name has no underscore.

use super::prelude::*;
use super::shared::{found, hosts};
use crate::dates::RFC_5280;

pub static CHECK: Check = Check {
    id: "san-underscore",
    severity: Severities::web(Error),
    clause: "BR section 7.1.2.7.12",
    expected: "no underscore",
    remedy: "Use a host name without underscore; a wildcard may cover the other.",
    affected: "root programmes; some clients refuse the name",
    in_force: Some(RFC_5280),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let wrong = hosts(certificate).filter(|(_, bytes)| bytes.contains(&b'_'));
    Outcome::all(wrong.map(|(name, _)| found(certificate, name, format!("an underscore in {name}"))))
}
