//! Holds the tests to account: each must fail when what it guards is taken out.
//!
//! `mutants/*.toml` lists small wounds to the source, each with the tests that must notice it. All wounds are dealt at
//! once to a copy of the workspace, each asleep until the environment variable `MUTANT` names it: so one build holds
//! all of them, and the product's own source none. Then every listed test runs twice, well (it must pass) and wounded
//! (it must fail).
//!
//! `cargo run --profile checked -p mutants` runs all; words after `--` choose mutants by a part of their id.
//!
//! - [`list`]: the wounds and their tests, as the files name them.
//! - [`tree`]: the copy with the wounds in it.
//! - [`build`]: one build, and where each test's program is.
//! - [`trial`]: a test run well and wounded.
//!
//! A test beside them holds `docs/security.md` to the tests that it names.

mod build;
mod list;
#[cfg(test)]
mod page;
mod tree;
mod trial;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use trial::Verdict;

const HELP: &str = "\
Takes out what tests guard, and sees that they notice. One build holds all wounds; it takes half an hour the first time.

Usage: mutants [WORD]...

Each WORD chooses mutants by a part of their id; none chooses all.

Example: mutants H43 console";

fn main() -> ExitCode {
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    if let Some(option) = chosen.iter().find(|word| word.starts_with('-')) {
        println!("{HELP}");
        return if matches!(&**option, "-h" | "--help") { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    match run(&chosen) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(wrong) => {
            eprintln!("mutants: {wrong}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every test noticed its wound.
fn run(chosen: &[String]) -> Result<bool, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().map_err(text)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let place = target.join("mutants");
    let all = list::read(&root.join("crates/mutants/mutants"))?;
    let wanted = |id: &str| {
        chosen.is_empty() || chosen.iter().any(|part| id.to_lowercase().contains(&part.to_lowercase()))
    };
    if !all.iter().any(|mutant| wanted(&mutant.id)) {
        return Err("no mutant has an id with this in it".into());
    }
    tree::plant(&root, &place, &all)?;
    let programs = build::build(&place, &all)?;
    let all: Vec<_> = all.into_iter().filter(|mutant| wanted(&mutant.id)).collect();
    trial::all_pass(&programs, &all)?;
    let mut survivors = 0;
    for mutant in &all {
        for test in &mutant.tests {
            let verdict = trial::wounded(&programs, mutant, test)?;
            survivors += usize::from(!matches!(verdict, Verdict::Noticed(_)));
            println!("{:12} {verdict:9} {test}\n{:23}without: {}; {verdict:#}", mutant.id, "", mutant.what);
        }
    }
    println!("\n{} mutants, {survivors} not noticed", all.len());
    Ok(survivors == 0)
}

/// An error in words.
fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
