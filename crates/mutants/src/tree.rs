//! The copy of the workspace with all wounds in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::list::{Edit, Mutant};
use crate::text;

/// The edits of one file, each with its mutant's id.
type Edits<'a> = Vec<(&'a str, &'a Edit)>;

/// Writes the workspace's files to `place/tree` and the wounded libraries beside it, with every edit applied. A file
/// that is there already as it should be is not touched, so that the next build has little to do.
pub fn plant(root: &Path, place: &Path, all: &[Mutant]) -> Result<(), String> {
    let mut edits: BTreeMap<(Option<String>, String), Edits<'_>> = BTreeMap::new();
    for mutant in all {
        for edit in &mutant.edits {
            let file = (edit.library.clone(), edit.file.clone());
            edits.entry(file).or_default().push((&mutant.id, edit));
        }
    }
    let libraries: BTreeSet<&str> =
        all.iter().flat_map(|mutant| &mutant.edits).filter_map(|edit| edit.library.as_deref()).collect();
    let sources = sources(root, &libraries)?;
    let tree = place.join("tree");
    let mut ours = listed(root)?;
    // The list of mutants takes no part in the build it makes.
    ours.retain(|file| !file.starts_with("crates/mutants/mutants/"));
    copy(root, &tree, &ours, |file| edits.remove(&(None, file.to_owned())))?;
    let mut patch = String::from("\n[patch.crates-io]\n");
    for library in &libraries {
        let from = &sources[*library];
        let files = walk(from, from)?;
        let to = place.join(library);
        copy(from, &to, &files, |file| edits.remove(&(Some((*library).to_owned()), file.to_owned())))?;
        patch += &format!("{library} = {{ path = \"../{library}\" }}\n");
    }
    if let Some(((library, file), _)) = edits.first_key_value() {
        return Err(format!(
            "there is no file {}{file}",
            library.as_ref().map(|name| format!("{name}: ")).unwrap_or_default()
        ));
    }
    if !libraries.is_empty() {
        let manifest = std::fs::read_to_string(root.join("Cargo.toml")).map_err(text)?;
        write(&tree.join("Cargo.toml"), (manifest + &patch).as_bytes())?;
    }
    Ok(())
}

/// The text with every edit made; each `from` must stand there exactly once, and apart from the others.
fn edited(file: &str, original: &str, edits: &[(&str, &Edit)]) -> Result<String, String> {
    let mut places = Vec::new();
    for (id, edit) in edits {
        let found: Vec<usize> = original.match_indices(&edit.from).map(|(at, _)| at).collect();
        let [at] = found[..] else {
            return Err(format!("{id}: {file} holds this {} times, not once:\n{}", found.len(), edit.from));
        };
        let awake = format!("std::env::var_os(\"MUTANT\").is_some_and(|one| one == \"{id}\")");
        places.push((at, edit.from.len(), edit.to.replace("MUTANT", &format!("({awake})"))));
    }
    places.sort_by_key(|(at, ..)| *at);
    let mut text = String::with_capacity(original.len());
    let mut done = 0;
    for (at, length, to) in places {
        if at < done {
            return Err(format!("{file}: two edits lie over each other at byte {at}"));
        }
        text += &original[done..at];
        text += &to;
        done = at + length;
    }
    Ok(text + &original[done..])
}

/// Copies files, edited where `edits` has some; removes what the copy has beside them.
fn copy<'a>(
    from: &Path,
    to: &Path,
    files: &[String],
    mut edits: impl FnMut(&str) -> Option<Edits<'a>>,
) -> Result<(), String> {
    for file in files {
        let mut bytes = std::fs::read(from.join(file)).map_err(|error| format!("{file}: {error}"))?;
        if let Some(edits) = edits(file) {
            let original = String::from_utf8(bytes).map_err(|_| format!("{file} is no text"))?;
            bytes = edited(file, &original, &edits)?.into_bytes();
        }
        // The workspace's manifest is written at the end, with the libraries in it.
        if file != "Cargo.toml" || from.join("Cargo.toml.orig").exists() || !to.join(file).exists() {
            write(&to.join(file), &bytes)?;
        }
    }
    let wanted: BTreeSet<&str> = files.iter().map(String::as_str).collect();
    for stale in walk(to, to)?.iter().filter(|file| !wanted.contains(file.as_str())) {
        std::fs::remove_file(to.join(stale)).map_err(text)?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    if std::fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, bytes))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// The workspace's files as git knows them, new ones included.
fn listed(root: &Path) -> Result<Vec<String>, String> {
    let mut command = Command::new("git");
    command.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let out = command.output().map_err(|error| format!("git: {error}"))?;
    if !out.status.success() {
        return Err(format!("git ls-files: {}", String::from_utf8_lossy(&out.stderr)));
    }
    let names = String::from_utf8(out.stdout).map_err(text)?;
    let here = |file: &&str| !file.is_empty() && root.join(file).is_file();
    Ok(names.split('\0').filter(here).map(str::to_owned).collect())
}

/// All files below, from `base`.
fn walk(base: &Path, folder: &Path) -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry.map_err(text)?.path();
        if path.is_dir() {
            files.extend(walk(base, &path)?);
        } else if let Some(file) = path.strip_prefix(base).ok().and_then(Path::to_str) {
            files.push(file.to_owned());
        }
    }
    Ok(files)
}

/// Where cargo keeps the source of these libraries, in the versions of the lock file.
fn sources(root: &Path, libraries: &BTreeSet<&str>) -> Result<BTreeMap<String, PathBuf>, String> {
    let mut found = BTreeMap::new();
    if libraries.is_empty() {
        return Ok(found);
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--locked"]).current_dir(root);
    let out = command.output().map_err(|error| format!("cargo metadata: {error}"))?;
    let metadata: serde_json::Value = serde_json::from_slice(&out.stdout).map_err(text)?;
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let (name, manifest) = (package["name"].as_str(), package["manifest_path"].as_str());
        if let (Some(name), Some(manifest)) = (name, manifest)
            && libraries.contains(name)
            && let Some(folder) = Path::new(manifest).parent()
            && found.insert(name.to_owned(), folder.to_owned()).is_some()
        {
            return Err(format!("{name} is in the build in two versions"));
        }
    }
    match libraries.iter().find(|name| !found.contains_key(**name)) {
        Some(missing) => Err(format!("no library {missing} is in the build")),
        None => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(from: &str, to: &str) -> Edit {
        Edit { file: "x".into(), library: None, from: from.into(), to: to.into() }
    }

    #[test]
    fn every_edit_finds_its_one_place() {
        let (one, two) = (edit("a == b", "MUTANT || a == b"), edit("c", "d"));
        let text = edited("x", "if a == b { c }", &[("H2", &two), ("H1", &one)]).unwrap();
        let awake = "(std::env::var_os(\"MUTANT\").is_some_and(|one| one == \"H1\"))";
        assert_eq!(text, format!("if {awake} || a == b {{ d }}"));
        assert!(edited("x", "a == b, a == b", &[("H1", &one)]).is_err(), "twice");
        assert!(edited("x", "", &[("H1", &one)]).is_err(), "nowhere");
        assert!(
            edited("x", "a == b", &[("H1", &one), ("H2", &edit("= b", "MUTANT"))]).is_err(),
            "overlapping"
        );
    }

    #[test]
    fn the_list_fits_the_sources_as_they_are() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let all = crate::list::read(&here.join("mutants")).unwrap();
        let place = tempfile::tempdir().unwrap();
        let root = here.join("../..").canonicalize().unwrap();
        plant(&root, place.path(), &all).unwrap();
        for test in all.iter().flat_map(|mutant| &mutant.tests) {
            let tests = root.join("crates").join(&test.package).join("tests");
            let is_there = match test.target.as_str() {
                "lib" => root.join("crates").join(&test.package).join("src/lib.rs").is_file(),
                "bin" => root.join("crates").join(&test.package).join("src/main.rs").is_file(),
                name => {
                    tests.join(format!("{name}.rs")).is_file() || tests.join(name).join("main.rs").is_file()
                }
            };
            assert!(is_there, "{test}: the package has no such target");
        }
    }
}
