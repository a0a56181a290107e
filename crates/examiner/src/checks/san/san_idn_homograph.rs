//! A label of one script is not easily taken for another name.

use super::prelude::*;
use super::shared::{found, own_hosts};
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "san-idn-homograph",
    severity: Severities::all(Notice),
    clause: "UTS 39 section 5.1",
    expected: "letters of one script in a label",
    remedy: "See that the name is meant as it is; letters of two scripts can look alike.",
    affected: "people who read the name",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

/// Whether Latin, Greek and Cyrillic letters stand side by side: the three that look alike.
fn is_mixed(label: &str) -> bool {
    let (text, result) = idna::domain_to_unicode(label);
    let has =
        |ranges: &[(char, char)]| text.chars().any(|c| ranges.iter().any(|(a, b)| (*a..=*b).contains(&c)));
    let latin = has(&[('a', 'z'), ('\u{e0}', '\u{24f}')]);
    let greek = has(&[('\u{370}', '\u{3ff}')]);
    let cyrillic = has(&[('\u{400}', '\u{52f}')]);
    result.is_ok() && u8::from(latin) + u8::from(greek) + u8::from(cyrillic) > 1
}

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    Outcome::all(own_hosts(certificate).filter_map(|(name, text)| {
        let label = text.split('.').find(|label| label.starts_with("xn--") && is_mixed(label))?;
        let (shown_as, _) = idna::domain_to_unicode(label);
        Some(found(
            certificate,
            name,
            format!("{label} is \u{201c}{}\u{201d}, in letters of several scripts", shown(&shown_as)),
        ))
    }))
}
