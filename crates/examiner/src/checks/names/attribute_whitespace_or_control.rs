//! The text of names has no blank at its ends and no control character.

use super::prelude::*;
use super::shared::{LOCALITY, STATE, both};
use crate::chain::DistinguishedName;
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "attribute-whitespace-or-control",
    severity: Severities::all(Warning),
    clause: "X.520 section 6, practice",
    expected: "text without blanks at its ends and without control characters",
    remedy: "Have it issued again with clean text.",
    affected: "rules and logs that compare the text",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    Outcome::all(both(certificate, context).flat_map(DistinguishedName::attributes).filter_map(|one| {
        let text = one.text()?;
        let observed = if text.trim() != text {
            "a blank at its beginning or end"
        } else if text.chars().any(char::is_control) {
            "a control character"
        } else if [LOCALITY, STATE].contains(&one.oid.as_str())
            && text.contains(|c| ":|=[]{}\"\\<>".contains(c))
        {
            "a character that names of places have not"
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
