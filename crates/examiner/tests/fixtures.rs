//! Every check has a fixture that passes and one that fails, and its failing ones depend on it alone.
//!
//! `COUNTERSIGN_MAKE_FIXTURES=1` writes the fixtures and their expected reports anew instead of comparing them; read
//! what changed before it is committed.
#![allow(clippy::disallowed_methods)]

mod recipes;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use examiner::checks::{self, check::Check};
use examiner::report::{Finding, Report};
use examiner::{examine, examine_with};

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn fixture(check: &str, name: &str, ending: &str) -> PathBuf {
    crate_folder().join("fixtures").join(check).join(format!("{name}.{ending}"))
}

fn as_json(report: &Report) -> String {
    serde_json::to_string_pretty(report).expect("a report is plain data") + "\n"
}

fn all() -> Vec<&'static Check> {
    checks::all().collect()
}

fn of<'a>(report: &'a Report, id: &str) -> Vec<&'a Finding> {
    report.findings.iter().filter(|finding| finding.id == id).collect()
}

#[test]
fn fixtures_and_their_reports_are_as_expected() {
    let make = std::env::var_os("COUNTERSIGN_MAKE_FIXTURES").is_some();
    let mut wrong = Vec::new();
    for recipe in recipes::all() {
        let file = recipe.case.file();
        let (chain, question) = support::case::read(&file);
        let report = examine(&chain, &question);
        for (ending, contents) in [("pem", file), ("json", as_json(&report))] {
            let path = fixture(recipe.check, &recipe.name, ending);
            if make {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, contents).unwrap();
            } else if fs::read_to_string(&path).ok().as_deref() != Some(&contents) {
                wrong.push(path.strip_prefix(crate_folder()).unwrap().display().to_string());
            }
        }
        let findings = of(&report, recipe.check);
        if recipe.name.starts_with("fail-") == findings.is_empty() {
            wrong.push(format!("{} {}: {:#?}", recipe.check, recipe.name, report.findings));
        }
    }
    assert!(wrong.is_empty(), "these differ from what the checks say now:\n{}", wrong.join("\n"));
}

#[test]
fn each_failing_fixture_loses_exactly_its_finding_without_its_check() {
    let mut wrong = Vec::new();
    for recipe in recipes::all().iter().filter(|recipe| recipe.name.starts_with("fail-")) {
        let (chain, question) = support::case::read(&recipe.case.file());
        let with = examine(&chain, &question);
        let others: Vec<&Check> = all().into_iter().filter(|check| check.id != recipe.check).collect();
        let without = examine_with(&others, &chain, &question);
        let kept: Vec<&Finding> = with.findings.iter().filter(|f| f.id != recipe.check).collect();
        // A consequence of the finding comes to light when its cause is not found any more.
        let consequence = |finding: &&Finding| {
            let is_named = checks::named(finding.id).unwrap().consequence_of.contains(&recipe.check);
            // Of an empty list of extensions each one is missing.
            let is_missing = finding.path == "tbsCertificate.extensions" && finding.range.is_empty();
            let is_of_empty_list = recipe.check == "empty-extension-sequence" && is_missing;
            (is_named || is_of_empty_list) && !kept.contains(finding)
        };
        let left: Vec<&Finding> = without.findings.iter().filter(|f| !consequence(f)).collect();
        if of(&with, recipe.check).is_empty() || left != kept {
            wrong.push(format!("{} {}", recipe.check, recipe.name));
        }
    }
    assert!(wrong.is_empty(), "taking the check away changes more or less than its finding: {wrong:#?}");
}

#[test]
fn every_check_is_whole_and_named_once() {
    let mut ids = BTreeSet::new();
    for check in all() {
        assert!(ids.insert(check.id), "{} stands twice in the list", check.id);
        for (what, text) in [
            ("clause", check.clause),
            ("expected", check.expected),
            ("remedy", check.remedy),
            ("affected", check.affected),
        ] {
            assert!(!text.trim().is_empty(), "{} has no {what}", check.id);
        }
        assert!(check.remedy.ends_with('.'), "{}: a remedy is a sentence", check.id);
        let runs = examiner::profile::Profile::ALL.iter().any(|p| check.severity.under(*p).is_some());
        assert!(runs, "{} runs under no profile", check.id);
    }
}

#[test]
fn every_check_is_the_file_of_its_name_in_its_area() {
    let source = crate_folder().join("src/checks");
    for (area, checks) in checks::ALL {
        let listed: BTreeSet<String> = checks.iter().map(|c| c.id.replace('-', "_") + ".rs").collect();
        let files: BTreeSet<String> = fs::read_dir(source.join(area))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "mod.rs" && name.ends_with(".rs"))
            // What several checks share starts with `shared`.
            .filter(|name| listed.contains(name) || !name.starts_with("shared"))
            .collect();
        assert_eq!(listed, files, "the list and the files of {area}");
    }
}

#[test]
fn every_check_has_a_fixture_each_way_and_no_file_is_stray() {
    let mut made: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for recipe in recipes::all() {
        let names = made.entry(recipe.check.to_owned()).or_default();
        for ending in ["pem", "json"] {
            assert!(
                names.insert(format!("{}.{ending}", recipe.name)),
                "{} {} twice",
                recipe.check,
                recipe.name
            );
        }
    }
    for check in all() {
        for way in ["pass-", "fail-"] {
            let has = made.get(check.id).is_some_and(|names| names.iter().any(|name| name.starts_with(way)));
            assert!(has, "{} has no fixture {way}", check.id);
        }
    }
    for folder in fs::read_dir(crate_folder().join("fixtures")).unwrap() {
        let folder = folder.unwrap();
        let id = folder.file_name().into_string().unwrap();
        assert!(checks::named(&id).is_some(), "fixtures/{id} belongs to no check");
        for file in fs::read_dir(folder.path()).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(made.get(&id).is_some_and(|names| names.contains(&name)), "stray: fixtures/{id}/{name}");
        }
    }
}
