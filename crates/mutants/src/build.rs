//! One build of all test programs, with every wound in it, asleep.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::list::Mutant;
use crate::text;

/// A test program, and the folder it runs in.
#[derive(Debug)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Its package's folder.
    pub folder: PathBuf,
}

/// The programs by package and target, as [`crate::list::Test`] names them.
pub type Programs = BTreeMap<(String, String), Program>;

/// Builds the programs of all tests that are named.
pub fn build(place: &Path, all: &[Mutant]) -> Result<Programs, String> {
    let wanted: BTreeSet<(&str, &str)> = all
        .iter()
        .flat_map(|mutant| &mutant.tests)
        .map(|test| (test.package.as_str(), test.target.as_str()))
        .collect();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["test", "--no-run", "--profile", "checked", "--message-format", "json-render-diagnostics"]);
    for package in wanted.iter().map(|(package, _)| package).collect::<BTreeSet<_>>() {
        command.args(["-p", package]);
    }
    for target in wanted.iter().map(|(_, target)| *target).collect::<BTreeSet<_>>() {
        match target {
            "lib" => command.arg("--lib"),
            "bin" => command.arg("--bins"),
            name => command.args(["--test", name]),
        };
    }
    // A folder of its own: two workspaces must not share one.
    command.env("CARGO_TARGET_DIR", place.join("target"));
    let out = command
        .current_dir(place.join("tree"))
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    if !out.status.success() {
        return Err("the mutants do not build".into());
    }
    let mut programs = Programs::new();
    for line in String::from_utf8(out.stdout).map_err(text)?.lines() {
        let message: serde_json::Value = serde_json::from_str(line).map_err(text)?;
        let Some(path) = message["executable"].as_str().filter(|_| message["profile"]["test"] == true) else {
            continue;
        };
        let manifest = Path::new(message["manifest_path"].as_str().unwrap_or_default());
        let folder = manifest.parent().unwrap_or(manifest).to_owned();
        let package = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let target = match message["target"]["kind"][0].as_str() {
            Some("test") => message["target"]["name"].as_str().unwrap_or_default(),
            Some("bin") => "bin",
            _ => "lib",
        };
        programs.insert((package, target.to_owned()), Program { path: path.into(), folder });
    }
    for (package, target) in wanted {
        if !programs.contains_key(&(package.to_owned(), target.to_owned())) {
            return Err(format!("there are no tests {package}/{target}"));
        }
    }
    Ok(programs)
}
