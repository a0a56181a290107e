//! A public host name has no underscore.

use super::prelude::*;
use super::shared::{found, hosts};
use crate::dates::{NO_UNDERSCORES, RFC_5280, X509};
use crate::profile::Profile;

pub static CHECK: Check = Check {
    id: "san-underscore",
    severity: Severities::web(Error).rfc5280(Some(Error)),
    clause: "RFC 5280 section 4.2.1.6, BR section 7.1.2.7.12",
    expected: "no underscore",
    remedy: "Use a host name without underscore; a wildcard may cover the other.",
    affected: "root programmes; some clients refuse the name",
    in_force: Some(RFC_5280),
    consequence_of: &["certificate-unreadable"],
    run: Run::HostNames(EVERY, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    // Until the Baseline Requirements forbade them, RFC 5280's readers did not agree whether names may have underscores.
    let is_older = certificate.not_before.is_some_and(|issued| X509 <= issued && issued < NO_UNDERSCORES);
    if context.profile == Profile::Rfc5280 && is_older {
        return Outcome::Pass;
    }
    let wrong = hosts(certificate).filter(|(_, bytes)| bytes.contains(&b'_'));
    Outcome::all(wrong.map(|(name, _)| found(certificate, name, format!("an underscore in {name}"))))
}
