//! A test run well and wounded.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::build::{Program, Programs};
use crate::list::{Mutant, Test};
use crate::text;

/// A test that has not ended by then has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a wounded test said.
#[derive(Debug)]
pub enum Verdict {
    /// It failed, with these first words.
    Noticed(String),
    /// It passed: it does not guard what it says.
    Survived,
}

impl fmt::Display for Verdict {
    /// A word; with `#` what the test said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, f.alternate()) {
            (Self::Noticed(_), false) => f.pad("noticed"),
            (Self::Survived, false) => f.pad("SURVIVED"),
            (Self::Noticed(words), true) => f.write_str(words),
            (Self::Survived, true) => f.write_str("the test passes without it"),
        }
    }
}

/// Runs every named test without any wound; an error where one fails or is not there.
pub fn all_pass(programs: &Programs, all: &[Mutant]) -> Result<(), String> {
    let mut by_program: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for test in all.iter().flat_map(|mutant| &mutant.tests) {
        let names = by_program.entry((&test.package, &test.target)).or_default();
        if !names.contains(&test.name.as_str()) {
            names.push(&test.name);
        }
    }
    for ((package, target), names) in by_program {
        let program = &programs[&(package.to_owned(), target.to_owned())];
        let heard = run(program, &names, "", PATIENCE * names.len() as u32)?;
        let passed = format!("test result: ok. {} passed", names.len());
        if heard.success != Some(true) || !heard.said.contains(&passed) {
            let missing = names.iter().find(|name| !heard.said.contains(&format!("test {name} ")));
            let what = missing.map_or_else(String::new, |name| format!("\nthere is no test {name}"));
            return Err(format!("{package}/{target} fails without any mutant:\n{}{what}", heard.said));
        }
        println!("{package}/{target}: {} tests pass without any mutant", names.len());
    }
    Ok(())
}

/// Runs one test with the mutant awake.
pub fn wounded(programs: &Programs, mutant: &Mutant, test: &Test) -> Result<Verdict, String> {
    let program = &programs[&(test.package.clone(), test.target.clone())];
    let heard = run(program, &[&test.name], &mutant.id, PATIENCE)?;
    Ok(match heard.success {
        Some(true) => Verdict::Survived,
        Some(false) => {
            let mut lines = heard.said.lines().skip_while(|line| !line.contains("panicked at"));
            let place =
                lines.next().and_then(|line| line.rsplit_once("crates/")).map_or("", |(_, place)| place);
            let words: String = lines.next().unwrap_or("it failed").chars().take(120).collect();
            Verdict::Noticed(format!("{place} {words}"))
        }
        None => Verdict::Noticed(format!("it did not end within {PATIENCE:?}")),
    })
}

struct Heard {
    /// `None` where it had to be ended.
    success: Option<bool>,
    said: String,
}

fn run(program: &Program, names: &[&str], mutant: &str, patience: Duration) -> Result<Heard, String> {
    let mut command = Command::new(&program.path);
    command.arg("--exact").args(names).current_dir(&program.folder);
    command.env("MUTANT", mutant).env("CARGO_MANIFEST_DIR", &program.folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{}: {error}", program.path.display()))?;
    let streams: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
    ];
    let readers = streams.map(|pipe| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut pipe) = pipe {
                let _ = pipe.read_to_end(&mut bytes);
            }
            String::from_utf8_lossy(&bytes).into_owned()
        })
    });
    let end = Instant::now() + patience;
    let success = loop {
        if let Some(status) = child.try_wait().map_err(text)? {
            break Some(status.success());
        }
        if Instant::now() >= end {
            let _ = child.kill();
            let _ = child.wait();
            break None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    if success.is_none() {
        // A gate that outlives its test may hold the pipes open: what it said does not matter then.
        return Ok(Heard { success, said: String::new() });
    }
    let said = readers.map(|reader| reader.join().unwrap_or_default()).concat();
    Ok(Heard { success, said })
}
