//! An extended-validation subject has the known kinds of organisation and no attribute beyond the list; its names are hosts without wildcards.

use super::prelude::*;
use super::shared::{
    BUSINESS_CATEGORY, COMMON_NAME, COUNTRY, JURISDICTION_COUNTRY, LOCALITY, ORGANIZATION, ORGANIZATION_ID,
    POSTAL_CODE, SERIAL_NUMBER, STATE, STREET, UNIT, attributes, is_extended,
};
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "ev-wrong-attributes",
    severity: Severities::web(Error),
    clause: "EVG sections 7.1.4.2 and 7.1.2.2",
    expected: "what the EV Guidelines list",
    remedy: "Ask the CA for a certificate that keeps to the EV Guidelines.",
    affected: "root programmes",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

const KINDS: &[&str] =
    &["Private Organization", "Government Entity", "Business Entity", "Non-Commercial Entity"];
const ALLOWED: &[&str] = &[
    COMMON_NAME,
    COUNTRY,
    JURISDICTION_COUNTRY,
    "1.3.6.1.4.1.311.60.2.1.1",
    "1.3.6.1.4.1.311.60.2.1.2",
    LOCALITY,
    ORGANIZATION,
    ORGANIZATION_ID,
    POSTAL_CODE,
    SERIAL_NUMBER,
    STATE,
    STREET,
    // A check of its own speaks of it.
    UNIT,
];

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if !is_extended(certificate) {
        return Outcome::Pass;
    }
    let wrong = attributes(certificate).filter_map(|one| {
        let observed = match one.oid.as_str() {
            BUSINESS_CATEGORY => {
                let text = one.text().unwrap_or_default();
                if KINDS.contains(&text.as_str()) {
                    return None;
                }
                format!("the business category \u{201c}{}\u{201d}", shown(&text))
            }
            known if ALLOWED.contains(&known) => return None,
            _ => format!("the attribute {}", one.type_name()),
        };
        Some(Found::new(certificate, one.place.clone(), observed))
    });
    let hosts = certificate.known.subject_alt_name.read().into_iter().flatten().filter(|name| {
        let wildcard = name.dns().is_some_and(|dns| dns.starts_with("*.") && !dns.ends_with(".onion"));
        wildcard || matches!(name.form, NameForm::Ip(_))
    });
    let hosts = hosts.map(|name| Found::new(certificate, name.place.clone(), format!("the name {name}")));
    Outcome::all(wrong.chain(hosts))
}
