//! Where in a certificate something stands.

use std::borrow::Cow;
use std::ops::Range;

/// A place in a certificate: by the standard's names and by the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The names of RFC 5280 section 4.1 from the outside in, such as `tbsCertificate.extensions[3].extnValue`.
    pub path: Cow<'static, str>,
    /// The bytes, counted from the start of the certificate's DER. Empty where the thing is missing.
    pub range: Range<usize>,
}

impl Place {
    /// A place by its path and bytes.
    pub fn new(path: impl Into<Cow<'static, str>>, range: Range<usize>) -> Self {
        Self { path: path.into(), range }
    }

    /// A place inside this one: the path grows by `.step`, or by `[i]` where `step` begins so.
    #[must_use]
    pub fn step(&self, step: &str, range: Range<usize>) -> Self {
        let dot = if step.starts_with('[') { "" } else { "." };
        Self { path: format!("{}{dot}{step}", self.path).into(), range }
    }
}
