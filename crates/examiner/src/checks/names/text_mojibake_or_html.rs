//! The text of names is neither HTML nor UTF-8 read as Latin-1.

use super::prelude::*;
use super::shared::attributes;
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "text-mojibake-or-html",
    severity: Severities::all(Warning),
    clause: "practice: text as people write it",
    expected: "plain text",
    remedy: "Have it issued again; what made the request encodes text twice.",
    affected: "whoever reads the name",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

/// Whether `&name;` or `&#number;` stands in it.
fn has_entity(text: &str) -> bool {
    text.split('&').skip(1).any(|rest| {
        rest.split_once(';').is_some_and(|(name, _)| {
            let digits = name.strip_prefix('#').map(|n| n.trim_start_matches(['x', 'X']));
            let known = ["amp", "lt", "gt", "quot", "apos", "nbsp"].contains(&name)
                || ["acute", "grave", "uml", "circ", "tilde", "cedil", "ring", "slash", "lig"]
                    .iter()
                    .any(|end| name.ends_with(end) && name.is_ascii());
            known || digits.is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_hexdigit()))
        })
    })
}

/// Whether its letters, as Latin-1, are UTF-8 with a letter of more than one octet.
fn is_twice_encoded(text: &str) -> bool {
    let octets: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    !text.is_ascii() && octets.is_some_and(|octets| String::from_utf8(octets).is_ok())
}

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    Outcome::all(attributes(certificate).filter_map(|one| {
        let text = one.text()?;
        let observed = if has_entity(&text) {
            "an HTML entity"
        } else if is_twice_encoded(&text) {
            "UTF-8 that was read as Latin-1 and encoded again"
        } else {
            return None;
        };
        Some(Found::new(
            certificate,
            one.place.clone(),
            format!("{} has {observed}: \u{201c}{}\u{201d}", one.type_name(), shown(&text)),
        ))
    }))
}
