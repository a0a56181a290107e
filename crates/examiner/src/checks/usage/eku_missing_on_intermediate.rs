//! A public intermediate lists the purposes that it issues for.
//!
//! Asked for since 2019, and a must since the profiles of 2023.

use super::prelude::*;
use crate::dates::BR_PROFILES;
use crate::dates::INTERMEDIATE_PURPOSES;

pub static CHECK: Check = Check {
    id: "eku-missing-on-intermediate",
    severity: Severities::web(Warning),
    clause: "BR section 7.1.2.10.6, Mozilla Root Store Policy section 5.3",
    expected: "extKeyUsage with serverAuth",
    remedy: "Issue the intermediate again with extKeyUsage that lists serverAuth.",
    affected: "root programmes; without it the CA can issue for every purpose",
    in_force: None,
    consequence_of: &["certificate-unreadable", "extensions-without-v3", "version-not-3"],
    run: Run::Certificate(INTERMEDIATES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if !certificate.known.extended_key_usage.is_absent() {
        return Outcome::Pass;
    }
    let found =
        Found::new(certificate, certificate.extension_place(id::EXTENDED_KEY_USAGE), "it has no extKeyUsage");
    match certificate.not_before {
        Some(issued) if issued >= BR_PROFILES => found.severity(Error).in_force(BR_PROFILES).into(),
        Some(issued) if issued >= INTERMEDIATE_PURPOSES => found.in_force(INTERMEDIATE_PURPOSES).into(),
        _ => found.severity(Notice).into(),
    }
}
