//! Paths from a certificate to a trust anchor: every alternative is tried, within a budget, and each is validated as RFC
//! 5280 section 6 asks.
//!
//! - `build` goes from the end entity upwards, one issuer at a time, and turns back where an issuer will not do.
//! - `issuer` says whether one certificate may have issued another; `signature` verifies.
//! - `name_constraints`, `policies` and `crl` are the parts of validation with rules of their own.
//! - [`clients`] tells what clients that go other ways say.
//!
//! Trust anchors are certificates here, and what they say of themselves holds too: dates, constraints, usage.

mod build;
pub mod clients;
pub mod crl;
mod issuer;
mod name_constraints;
mod policies;
pub mod signature;

use crate::cert::UnixTime;
use crate::chain::{Chain, Examinee};

pub use crl::Crl;

/// What a path must hold to.
#[derive(Clone, Debug)]
pub struct Rules<'a> {
    /// The moment that counts as now.
    pub at: UnixTime,
    /// The key purpose (dotted text) that the path must allow; `None`: any.
    pub purpose: Option<&'a str>,
    /// How many intermediates that are not self-issued may stand between end entity and anchor; `None`: the budget's.
    pub max_depth: Option<usize>,
    /// Lists of revoked certificates. A certificate of an issuer without a list here is not looked up.
    pub crls: &'a [Crl],
    /// How much is tried.
    pub budget: Budget,
}

/// How much path building tries before it gives up.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Verified signatures; one that was verified before costs nothing.
    pub signatures: usize,
    /// Steps from a certificate to a possible issuer.
    pub steps: usize,
    /// Certificates in one path.
    pub length: usize,
    /// Comparisons of a name with a constraint.
    pub comparisons: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { signatures: 128, steps: 4_096, length: 24, comparisons: 250_000 }
    }
}

/// Why a path, or a step of one, will not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The id of the check that tells this.
    pub id: &'static str,
    /// The certificate concerned, by its index in the chain.
    pub index: usize,
    /// What is wrong, in words.
    pub why: String,
    /// How many certificates the path had when it failed: the longest attempt tells most.
    pub length: usize,
}

/// What path building found.
#[derive(Clone, Debug)]
pub struct Paths<'a> {
    /// Every path that holds, end entity first, anchor last.
    pub valid: Vec<Vec<&'a Examinee>>,
    /// What stood in the way of the others, in the order they were tried.
    pub faults: Vec<Fault>,
    /// Whether the budget ran out before everything was tried.
    pub exhausted: bool,
    /// What was spent of the budget.
    pub spent: Spent,
}

/// How much path building did, in the units of [`Budget`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Verified signatures.
    pub signatures: usize,
    /// Steps from a certificate to a possible issuer.
    pub steps: usize,
    /// Comparisons of a name with a constraint.
    pub comparisons: usize,
}

impl Paths<'_> {
    /// The fault that explains best why there is no path: the budget's end, else that of the longest attempt, the first
    /// of these.
    pub fn best_fault(&self) -> Option<&Fault> {
        if let Some(end) = self.faults.iter().find(|fault| self.exhausted && fault.id == EXPLOSION) {
            return Some(end);
        }
        let longest = self.faults.iter().map(|fault| fault.length).max()?;
        self.faults.iter().find(|fault| fault.length == longest)
    }
}

/// The fault of a budget that ran out.
const EXPLOSION: &str = "path-loop-or-explosion";

/// Builds every path from the chain's first certificate to one of its anchors.
pub fn build<'a>(chain: &'a Chain, rules: &Rules<'_>) -> Paths<'a> {
    build::Builder::new(chain, rules).run()
}

/// The same from what was served alone, as a client sees it that fetches nothing.
pub fn build_from_served<'a>(chain: &'a Chain, rules: &Rules<'_>) -> Paths<'a> {
    build::Builder::new(chain, rules).without_beside().run()
}
