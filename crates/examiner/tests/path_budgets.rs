//! Path building keeps to its budget, to the unit: with what it takes it finds the path, with one unit less it says that it
//! gave up.
#![allow(clippy::disallowed_methods)]

mod support;

use std::fs;
use std::path::Path;

use examiner::chain::Chain;
use examiner::path::{Budget, Paths, Rules, Spent, build};
use examiner::{Question, UnixTime};

const GAVE_UP: &str = "path-loop-or-explosion";

fn fixture(name: &str) -> (Chain, UnixTime) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let (chain, Question { at, .. }) = support::case::read(&fs::read_to_string(file).unwrap());
    (chain, at)
}

fn built(chain: &Chain, at: UnixTime, max_depth: Option<usize>, budget: Budget) -> Paths<'_> {
    build(chain, &Rules { at, purpose: None, max_depth, crls: &[], budget })
}

/// What the one path of a chain takes.
fn needs(chain: &Chain, at: UnixTime) -> Spent {
    let paths = built(chain, at, None, Budget::default());
    assert_eq!((paths.valid.len(), paths.exhausted), (1, false));
    paths.spent
}

/// The path is found with `enough`, and given up with `less`.
fn at_the_boundary(chain: &Chain, at: UnixTime, enough: Budget, less: Budget) {
    let right = built(chain, at, None, enough);
    assert_eq!((right.valid.len(), right.exhausted), (1, false), "{enough:?}");
    let short = built(chain, at, None, less);
    assert_eq!((short.valid.len(), short.exhausted), (0, true), "{less:?}");
    assert_eq!(short.best_fault().map(|fault| fault.id), Some(GAVE_UP), "{less:?}");
}

#[test]
fn signatures_are_counted() {
    let (chain, at) = fixture("chain-too-long/pass-six.pem");
    let signatures = needs(&chain, at).signatures;
    let with = |signatures| Budget { signatures, ..Budget::default() };
    at_the_boundary(&chain, at, with(signatures), with(signatures - 1));
}

#[test]
fn steps_are_counted() {
    let (chain, at) = fixture("chain-too-long/pass-six.pem");
    let steps = needs(&chain, at).steps;
    assert_eq!(steps, 7, "six intermediates and the anchor");
    let with = |steps| Budget { steps, ..Budget::default() };
    at_the_boundary(&chain, at, with(steps), with(steps - 1));
}

#[test]
fn certificates_of_a_path_are_counted() {
    let (chain, at) = fixture("chain-too-long/pass-six.pem");
    let length = built(&chain, at, None, Budget::default()).valid[0].len();
    let with = |length| Budget { length, ..Budget::default() };
    // The anchor is put on top of a path that may have no more intermediates.
    at_the_boundary(&chain, at, with(length), with(length - 1));
}

#[test]
fn comparisons_of_names_are_counted() {
    let (chain, at) = fixture("nc-violated/pass-permitted.pem");
    let comparisons = needs(&chain, at).comparisons;
    assert!(comparisons > 0, "the chain has name constraints");
    let with = |comparisons| Budget { comparisons, ..Budget::default() };
    at_the_boundary(&chain, at, with(comparisons), with(comparisons - 1));
}

#[test]
fn the_depth_asked_for_is_kept_to() {
    let (chain, at) = fixture("chain-too-long/pass-six.pem");
    assert_eq!(built(&chain, at, Some(6), Budget::default()).valid.len(), 1);
    let deeper = built(&chain, at, Some(5), Budget::default());
    assert_eq!(deeper.best_fault().map(|fault| fault.id), Some("chain-too-long"));
    assert!(deeper.valid.is_empty() && !deeper.exhausted);
}

#[test]
fn cas_that_certify_each_other_cost_no_more_than_the_budget() {
    let (chain, at) = fixture("path-loop-or-explosion/fail-crossed.pem");
    let budget = Budget::default();
    let paths = built(&chain, at, None, budget);
    assert!(paths.exhausted && paths.valid.is_empty());
    assert_eq!(paths.best_fault().map(|fault| fault.id), Some(GAVE_UP));
    assert!(paths.spent.steps <= budget.steps, "{:?}", paths.spent);
    // All of these CAs have one key: each certificate's signature is verified once, however many ways lead through it.
    assert!(paths.spent.signatures <= chain.served.len(), "{:?}", paths.spent);
}
