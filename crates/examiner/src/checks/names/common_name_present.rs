//! A server certificate does without a common name.

use super::prelude::*;
use super::shared::{COMMON_NAME, attributes};
use crate::dates::BR_PROFILES;

pub static CHECK: Check = Check {
    id: "common-name-present",
    severity: Severities::web(Notice),
    clause: "BR section 7.1.2.7.2",
    expected: "no common name",
    remedy: "Nothing to do now; leave the common name out next time.",
    affected: "nobody: clients read the alternative names",
    in_force: Some(BR_PROFILES),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let all = attributes(certificate).filter(|one| one.oid == COMMON_NAME);
    Outcome::all(
        all.take(1).map(|one| Found::new(certificate, one.place.clone(), "the subject has a common name")),
    )
}
