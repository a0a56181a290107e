//! The wounds and their tests, as the files name them.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use serde::Deserialize;

/// One property taken out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    /// The number of the class in `docs/security.md`, and a letter where there are several.
    pub id: String,
    /// What is taken out.
    pub what: String,
    /// Tests that must notice: `PACKAGE/TARGET::NAME`, where TARGET is `lib`, `bin` or the name of a test file.
    pub tests: Vec<Test>,
    /// The changes that take it out.
    #[serde(rename = "edit")]
    pub edits: Vec<Edit>,
}

/// One change of one file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The file, from the workspace's root; in a library, from the library's.
    pub file: String,
    /// The library it belongs to, where it is not ours.
    pub library: Option<String>,
    /// What stands there, exactly once.
    pub from: String,
    /// What stands there instead. `MUTANT` is true where this mutant is awake.
    pub to: String,
}

/// A test: the package, the target it is in, its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Test {
    /// The package.
    pub package: String,
    /// `lib`, `bin`, or the name of a test file.
    pub target: String,
    /// The path of the function.
    pub name: String,
}

impl TryFrom<String> for Test {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.split_once("::").and_then(|(place, name)| Some((place.split_once('/')?, name)));
        let ((package, target), name) =
            parts.ok_or_else(|| format!("`{text}` is not PACKAGE/TARGET::NAME"))?;
        Ok(Self { package: package.into(), target: target.into(), name: name.into() })
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}::{}", self.package, self.target, self.name)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mutant: Vec<Mutant>,
}

/// All files of the folder, by name; ids must differ.
pub fn read(folder: &Path) -> Result<Vec<Mutant>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<_> = entries.map_while(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let mut all: Vec<Mutant> = Vec::new();
    for path in paths {
        let in_file = |error: String| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(&path).map_err(|error| in_file(error.to_string()))?;
        let file: File = toml::from_str(&text).map_err(|error| in_file(error.to_string()))?;
        all.extend(file.mutant);
    }
    let mut ids = BTreeSet::new();
    for mutant in &all {
        if !ids.insert(&mutant.id) {
            return Err(format!("two mutants are called {}", mutant.id));
        }
        if mutant.tests.is_empty() || mutant.edits.is_empty() {
            return Err(format!("{} names no test or no edit", mutant.id));
        }
        let asleep = mutant.edits.iter().filter(|edit| edit.to.contains("MUTANT")).count();
        if asleep == 0 {
            return Err(format!("{} does not say MUTANT: it would never be asleep", mutant.id));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_named_by_package_target_and_path() {
        let test = Test::try_from("policy/lib::host::tests::x".to_owned()).unwrap();
        assert_eq!((test.package.as_str(), test.target.as_str()), ("policy", "lib"));
        assert_eq!(test.name, "host::tests::x");
        assert!(Test::try_from("policy::x".to_owned()).is_err());
    }
}
