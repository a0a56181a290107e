//! Where programs are, and what they say of themselves.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Doing, Failure};

/// Beside this program.
pub fn beside(name: &str) -> Option<PathBuf> {
    let path = std::env::current_exe().ok()?.parent()?.join(name);
    path.is_file().then_some(path)
}

/// Where the system's programs are.
pub fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(more).map(|dir| dir.join(name)).find(|path| path.is_file())
}

/// Where `install-peers` puts what it fetches: in `bench-peers` of the target directory, below the environment
/// itself or its packages.
pub fn fetched(below: &str, name: &str) -> Option<PathBuf> {
    let environment = target()?.join("bench-peers");
    let library = std::fs::read_dir(environment.join("lib")).into_iter().flatten().flatten();
    let packages = library.map(|python| python.path().join("site-packages"));
    let places = std::iter::once(environment.clone()).chain(packages);
    places.map(|place| place.join(below).join(name)).find(|path| path.is_file())
}

/// The gate: the one that is named, or the one beside this program.
pub fn gate(named: Option<&Path>) -> Result<PathBuf, Failure> {
    let gate = named.map(Path::to_owned).or_else(|| beside("countersign"));
    let gate = gate.ok_or_else(|| {
        Failure::new(
            "there is no gate beside this program: `cargo build --release` makes it, or name one with --gate",
        )
    })?;
    gate.canonicalize().doing(&gate.display().to_string())
}

/// The directory for what was found, made if need be: the one that is named, or `bench` in the target directory.
pub fn out(named: Option<&Path>) -> Result<PathBuf, Failure> {
    let out = named.map(Path::to_owned).or_else(|| Some(target()?.join("bench")));
    let out = out.ok_or_else(|| Failure::new("no target directory"))?;
    std::fs::create_dir_all(&out).doing(&out.display().to_string())?;
    out.canonicalize().doing(&out.display().to_string())
}

/// The target directory, in which this program is at PROFILE/bench.
pub fn target() -> Option<PathBuf> {
    Some(std::env::current_exe().ok()?.parent()?.parent()?.to_owned())
}

/// What `program ARGUMENTS` prints, both streams.
pub fn say(program: &Path, arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new(program).args(arguments).output();
    let output = output.doing(&format!("{} {}", program.display(), arguments.join(" ")))?;
    let text = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// What follows `mark` on its line.
pub fn after<'a>(text: &'a str, mark: &str) -> Result<&'a str, Failure> {
    let found = text.lines().find_map(|line| line.split_once(mark)).map(|(_, rest)| rest.trim());
    found.ok_or_else(|| Failure::new(format!("no `{mark}` in what it says:\n{text}")))
}
