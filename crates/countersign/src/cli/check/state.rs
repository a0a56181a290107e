//! What is known of a host or file in short: its state, by which a change is told and a measure is made.

use std::collections::BTreeSet;
use std::fmt;

use examiner::UnixTime;
use examiner::report::Severity;
use serde::Serialize;

use super::look::Seen;
use crate::cli::Failure;

/// A state in one word, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// It could not be examined.
    NotExamined,
    /// There are errors.
    Errors,
    /// There are warnings.
    Warnings,
    /// Nothing is wrong.
    Right,
}

/// A state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct State {
    /// In one word.
    pub word: Word,
    /// What was found of errors and warnings, by id; empty where it could not be examined.
    pub ids: BTreeSet<&'static str>,
}

/// A state with what belongs to it.
#[derive(Clone, Debug)]
pub struct Known {
    /// The state.
    pub state: State,
    /// The same as a sentence.
    pub sentence: String,
    /// Findings by their severity: errors, warnings, notices.
    pub counts: [usize; 3],
    /// The end of the first certificate that is served.
    pub not_after: Option<UnixTime>,
}

impl Known {
    /// What is known of this one.
    pub fn of(answer: &Result<Seen, Failure>) -> Self {
        let seen = match answer {
            Ok(seen) => seen,
            Err(failure) => {
                let state = State { word: Word::NotExamined, ids: BTreeSet::new() };
                return Self { state, sentence: failure.what.clone(), counts: [0; 3], not_after: None };
            }
        };
        let told = seen.report.told();
        let count = |severity| told.iter().filter(|one| one.severity == severity).count();
        let counts = [count(Severity::Error), count(Severity::Warning), count(Severity::Notice)];
        let word = match counts {
            [0, 0, _] => Word::Right,
            [0, _, _] => Word::Warnings,
            _ => Word::Errors,
        };
        let ids = told.iter().filter(|one| one.severity <= Severity::Warning).map(|one| one.id).collect();
        Self {
            state: State { word, ids },
            sentence: seen.report.sentence.clone(),
            counts,
            not_after: seen.report.chain.first().and_then(|link| link.not_after),
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotExamined => "not examined",
            Self::Errors => "errors",
            Self::Warnings => "warnings",
            Self::Right => "right",
        })
    }
}
