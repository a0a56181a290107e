//! The text of an attribute is of the string type that it asks for, with the letters of that type.

use super::prelude::*;
use super::shared::{COUNTRY, DOMAIN_COMPONENT, EMAIL, JURISDICTION_COUNTRY, SERIAL_NUMBER, both};
use crate::cert::tlv::tag;
use crate::chain::DistinguishedName;
use crate::dates::BR_PROFILES;

pub static CHECK: Check = Check {
    id: "attribute-string-type-wrong",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.1.2.4, BR section 7.1.4.2",
    expected: "PrintableString or UTF8String; PrintableString alone for country and serial number",
    remedy: "Have it issued again with the right string types.",
    affected: "strict clients compare names wrongly or refuse",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

const STRINGS: &[u32] = &[
    tag::UTF8_STRING,
    tag::PRINTABLE_STRING,
    tag::TELETEX_STRING,
    tag::UNIVERSAL_STRING,
    tag::BMP_STRING,
    tag::IA5_STRING,
    tag::NUMERIC_STRING,
    // x500UniqueIdentifier is no text.
    tag::BIT_STRING,
];

/// The letters of PrintableString (X.680 section 41.4).
fn is_printable(octet: &u8) -> bool {
    octet.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(octet)
}

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let strict =
        context.profile == Profile::Web && certificate.not_before.is_none_or(|issued| issued >= BR_PROFILES);
    Outcome::all(both(certificate, context).flat_map(DistinguishedName::attributes).filter_map(|one| {
        let observed = match one.tag {
            tag::PRINTABLE_STRING if !one.bytes.iter().all(is_printable) => {
                "letters that PrintableString has not"
            }
            tag::IA5_STRING if !one.bytes.is_ascii() => "letters that IA5String has not",
            tag::UTF8_STRING if one.text().is_none() => "bytes that are no UTF-8",
            found => match one.oid.as_str() {
                COUNTRY | SERIAL_NUMBER | JURISDICTION_COUNTRY | "2.5.4.46"
                    if found != tag::PRINTABLE_STRING =>
                {
                    "no PrintableString"
                }
                EMAIL | DOMAIN_COMPONENT if found != tag::IA5_STRING => "no IA5String",
                oid if strict
                    && oid != EMAIL
                    && oid != DOMAIN_COMPONENT
                    && ![tag::PRINTABLE_STRING, tag::UTF8_STRING].contains(&found) =>
                {
                    "neither PrintableString nor UTF8String"
                }
                oid if !strict && oid.starts_with("2.5.4.") && !STRINGS.contains(&found) => "no string",
                _ => return None,
            },
        };
        Some(Found::new(certificate, one.place.clone(), format!("{}: {observed}", one.type_name())))
    }))
}
