//! A subject has one common name at most.

use super::prelude::*;
use super::shared::{COMMON_NAME, attributes};
use crate::dates::BASELINE;

pub static CHECK: Check = Check {
    id: "common-name-many",
    severity: Severities::web(Warning),
    clause: "BR section 7.1.4.3",
    expected: "at most one common name",
    remedy: "Have it issued again with the names as subject alternative names alone.",
    affected: "software that reads the first or the last of them",
    in_force: Some(BASELINE),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let more = attributes(certificate).filter(|one| one.oid == COMMON_NAME).skip(1);
    Outcome::all(more.map(|one| Found::new(certificate, one.place.clone(), "it has a further common name")))
}
