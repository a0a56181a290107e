//! An attribute that says nothing is left out.

use super::prelude::*;
use super::shared::attributes;
use crate::dates::BASELINE;
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "attribute-placeholder-value",
    severity: Severities::web(Error),
    clause: "BR section 7.1.2.7",
    expected: "a value that says something",
    remedy: "Ask for a certificate without the attribute.",
    affected: "root programmes",
    in_force: Some(BASELINE),
    consequence_of: &["certificate-unreadable", "common-name-not-in-san"],
    run: Run::Certificate(LEAVES, run),
};

/// What forms and tools put where nothing was entered.
const NOTHING: &[&str] = &[
    "n/a",
    "na",
    "none",
    "null",
    "unknown",
    "default",
    "some-state",
    "default city",
    "default company ltd",
    "internet widgits pty ltd",
];

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    Outcome::all(attributes(certificate).filter_map(|one| {
        let text = one.text()?;
        let folded = text.trim().to_lowercase();
        let empty = folded.chars().all(|c| !c.is_alphanumeric() && c != '*');
        (empty || NOTHING.contains(&folded.as_str())).then(|| {
            let observed = format!("{}: \u{201c}{}\u{201d}", one.type_name(), shown(&text));
            Found::new(certificate, one.place.clone(), observed)
        })
    }))
}
