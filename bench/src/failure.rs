//! Why a run failed.

use std::fmt::Display;

/// What went wrong, in words for whoever started the run. Any failure ends the run: a figure is whole or absent.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    /// A failure with these words.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// Says what was being done when something failed.
pub trait Doing<T> {
    /// The value, or `what: why`.
    fn doing(self, what: &str) -> Result<T, Failure>;
}

impl<T, E: Display> Doing<T> for Result<T, E> {
    fn doing(self, what: &str) -> Result<T, Failure> {
        self.map_err(|why| Failure(format!("{what}: {why}")))
    }
}
