//! A public CA is named by country, organisation and common name.

use super::prelude::*;
use super::shared::{COMMON_NAME, COUNTRY, ORGANIZATION, lacking};
use crate::dates::{BASELINE, CA_COMMON_NAME};

pub static CHECK: Check = Check {
    id: "ca-missing-country-org-cn",
    severity: Severities::web(Error),
    clause: "BR section 7.1.2.10.2",
    expected: "country, organization and common name",
    remedy: "Nothing at a site; the CA answers for it.",
    affected: "root programmes",
    in_force: Some(BASELINE),
    consequence_of: &["certificate-unreadable", "ca-subject-empty"],
    run: Run::Certificate(ISSUERS, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let wanted = [(COUNTRY, "country"), (ORGANIZATION, "organization"), (COMMON_NAME, "common name")];
    let early = certificate.not_before.is_some_and(|issued| issued < CA_COMMON_NAME);
    lacking(certificate, if early { &wanted[..2] } else { &wanted })
}
