//! `docs/guide/checks.md` is what the code says. `COUNTERSIGN_WRITE_PAGES=1` writes it anew.
#![allow(clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use examiner::checks;
use examiner::checks::check::Check;
use examiner::checks::left_out::{LEFT_OUT, Why};
use examiner::input;
use examiner::profile::Profile;
use examiner::report::Severity;

const HEAD: &str = "\
# What is checked

This page is made from the code. [The check](check.md) says how to run it; `countersign explain ID` says the same of one
check. Each is told with its id, how much it matters, what holds, the rule with the day since when it is in force, and
what to do. Severities are for servers of the public web, and for the other profiles where they differ; a profile that
is not named does not run the check.

```sh
countersign explain chain-incomplete
```

";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The title of each area: the first sentence of its module.
fn first_sentence(file: &Path) -> String {
    let source = fs::read_to_string(file).unwrap_or_else(|_| panic!("{} reads", file.display()));
    let lines = source.lines().take_while(|line| line.starts_with("//!")).map(|line| line[3..].trim());
    let words: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    words.join(" ")
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    }
}

fn severities(check: &Check) -> String {
    let each: Vec<_> = Profile::ALL.iter().map(|profile| (profile, check.severity.under(*profile))).collect();
    if each.iter().all(|(_, severity)| *severity == each[0].1) {
        return each[0].1.map(word).unwrap_or_default().to_owned();
    }
    let named =
        each.iter().filter_map(|(profile, severity)| Some(format!("{} in `{profile}`", word((*severity)?))));
    named.collect::<Vec<_>>().join(", ")
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ").replace('<', "&lt;")
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    let _ = writeln!(page, "There are {} checks, and {} of files.", checks::all().count(), input::ALL.len());
    for (area, all) in checks::ALL {
        let source = folder().join("src/checks").join(area);
        let title = first_sentence(&source.join("mod.rs"));
        let _ = writeln!(page, "\n## {}\n", title.trim_end_matches('.'));
        page += "| id | severity | what holds | rule | remedy |\n| --- | --- | --- | --- | --- |\n";
        for check in *all {
            let means = first_sentence(&source.join(check.id.replace('-', "_") + ".rs"));
            let rule = match check.in_force {
                Some(from) => format!("{}, since {}", check.clause, from.date()),
                None => check.clause.to_owned(),
            };
            let cells = [severities(check), means, rule, check.remedy.to_owned()].map(|text| cell(&text));
            let _ = writeln!(page, "| `{}` | {} |", check.id, cells.join(" | "));
        }
    }
    page += "\n## Files\n\n| id | severity | what ought to be | rule | remedy |\n| --- | --- | --- | --- | --- |\n";
    for about in input::ALL {
        let cells = [word(about.severity), about.expected, about.clause, about.remedy].map(cell);
        let _ = writeln!(page, "| `{}` | {} |", about.id, cells.join(" | "));
    }
    page += "\n## Left out\n\nThese are known, and not made: each for its reason.\n\n";
    page += "| id | why |\n| --- | --- |\n";
    for one in LEFT_OUT {
        let _ = writeln!(page, "| `{}` | {} |", one.id, cell(&one.why.to_string()));
    }
    page
}

#[test]
fn the_guide_lists_the_checks_as_they_are() {
    let path = folder().join("../../docs/guide/checks.md");
    let page = page();
    if std::env::var_os("COUNTERSIGN_WRITE_PAGES").is_some() {
        fs::write(&path, page).unwrap();
    } else {
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == page,
            "docs/guide/checks.md differs from the code; COUNTERSIGN_WRITE_PAGES=1 writes it"
        );
    }
}

#[test]
fn what_is_left_out_is_not_there_and_named_once() {
    let mut seen = BTreeSet::new();
    for one in LEFT_OUT {
        assert!(checks::named(one.id).is_none(), "{} is not left out", one.id);
        assert!(input::ALL.iter().all(|about| about.id != one.id), "{} is told of files", one.id);
        assert!(seen.insert(one.id), "{} twice", one.id);
        // What tells it instead exists.
        if let Why::ToldBy(others) = one.why {
            let known =
                |word: &str| checks::named(word).is_some() || input::ALL.iter().any(|about| about.id == word);
            let named =
                others.split([',', ' ']).filter(|word| word.contains('-') && !word.starts_with(['-', '`']));
            assert!(named.clone().all(known), "{}: {others}", one.id);
        }
    }
}
