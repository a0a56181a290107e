//! Each attribute stands once in a public subject, but for domain components and streets.

use super::prelude::*;
use super::shared::{DOMAIN_COMPONENT, STREET, attributes};
use crate::dates::BR_PROFILES;

pub static CHECK: Check = Check {
    id: "attribute-duplicate",
    severity: Severities::web(Error),
    clause: "BR section 7.1.4.1",
    expected: "each type of attribute once",
    remedy: "Ask the CA for a certificate with each attribute once.",
    affected: "linters; software that reads one of them",
    in_force: Some(BR_PROFILES),
    consequence_of: &["certificate-unreadable", "common-name-many"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let all: Vec<_> = attributes(certificate).collect();
    let repeated = all.iter().enumerate().filter(|(i, one)| {
        ![DOMAIN_COMPONENT, STREET].contains(&one.oid.as_str())
            && all[..*i].iter().any(|earlier| earlier.oid == one.oid)
    });
    Outcome::all(repeated.map(|(_, one)| {
        Found::new(certificate, one.place.clone(), format!("{} stands a second time", one.type_name()))
    }))
}
