//! What one run examined: named things, each with its report, or with why there is none.

use super::{Report, Severity};

/// One thing that was to be examined.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What it is called: a file, or a host.
    pub name: &'a str,
    /// What the examination says.
    pub outcome: Result<&'a Report, NotExamined<'a>>,
}

/// Why there is no report.
#[derive(Clone, Copy, Debug)]
pub struct NotExamined<'a> {
    /// What happened.
    pub what: &'a str,
    /// What to do.
    pub help: &'a str,
}

impl Severity {
    /// The severity in one word, as scripts get it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}
