//! An extended-validation subject says who, of what kind, registered where and under which number.

use super::prelude::*;
use super::shared::{
    BUSINESS_CATEGORY, COUNTRY, JURISDICTION_COUNTRY, ORGANIZATION, SERIAL_NUMBER, is_extended, lacking,
};

pub static CHECK: Check = Check {
    id: "ev-missing-attributes",
    severity: Severities::web(Error),
    clause: "EVG section 7.1.4.2",
    expected: "organization, businessCategory, jurisdiction country, serialNumber, country",
    remedy: "Ask the CA for a certificate with the whole identity.",
    affected: "root programmes",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

const WANTED: &[(&str, &str)] = &[
    (ORGANIZATION, "organization"),
    (BUSINESS_CATEGORY, "businessCategory"),
    (JURISDICTION_COUNTRY, "jurisdiction country"),
    (SERIAL_NUMBER, "serialNumber"),
    (COUNTRY, "country"),
];

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if !is_extended(certificate) {
        return Outcome::Pass;
    }
    lacking(certificate, WANTED)
}
