//! An internationalised label is a valid A-label.

use super::prelude::*;
use super::shared::{found, hosts};
use crate::dates::NO_RESERVED_LABELS;
use crate::dates::RFC_5280;
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "san-idn-invalid",
    severity: Severities::all(Error),
    clause: "RFC 5891 section 5.4, RFC 8399",
    expected: "A-labels that decode to valid U-labels; no other label with hyphens third and fourth",
    remedy: "Have it issued again with the name as IDNA encodes it.",
    affected: "clients refuse the name or show it wrongly",
    in_force: Some(RFC_5280),
    consequence_of: &["certificate-unreadable"],
    run: Run::HostNames(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    Outcome::all(hosts(certificate).filter_map(|(name, bytes)| {
        let text = std::str::from_utf8(bytes).ok()?.to_ascii_lowercase();
        let wrong = text.split('.').find_map(|label| {
            let (prefix, rest) = label.split_at_checked(4).filter(|(prefix, _)| prefix.ends_with("--"))?;
            if prefix != "xn--" {
                let recent = certificate.not_before.is_none_or(|issued| issued >= NO_RESERVED_LABELS);
                return recent.then(|| format!("the reserved label {}", shown(label)));
            }
            let valid = !rest.is_empty() && idna::domain_to_unicode(label).1.is_ok();
            (!valid).then(|| format!("{} is no A-label", shown(label)))
        })?;
        Some(found(certificate, name, wrong))
    }))
}
