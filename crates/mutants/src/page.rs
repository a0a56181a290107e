//! `docs/security.md` names tests; each must be there.

use std::collections::BTreeSet;
use std::path::Path;

/// A test: the names of the folders and files it is in, and its own.
struct Known {
    places: BTreeSet<String>,
    name: String,
}

/// All tests of the workspace's crates.
fn known(crates: &Path) -> Vec<Known> {
    let (mut all, mut folders) = (Vec::new(), vec![crates.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let parts = path.strip_prefix(crates).unwrap().with_extension("");
                let places: BTreeSet<String> =
                    parts.iter().map(|part| part.to_string_lossy().into_owned()).collect();
                let text = std::fs::read_to_string(&path).unwrap();
                let names = text.split("test]\n").skip(1).filter_map(|behind| {
                    let (_, name) = behind.split_once("fn ")?;
                    name.split('(').next()
                });
                let of = |name: &str| Known { places: places.clone(), name: name.to_owned() };
                all.extend(names.map(of));
            }
        }
    }
    all
}

/// Whether there is such a test. A last part that ends with `…` is the beginning of a name, or all of a module; one
/// that is a module's is all of it.
fn is_there(all: &[Known], written: &str) -> bool {
    let mut parts: Vec<&str> = written.split("::").filter(|part| *part != "…").collect();
    let whole_module = written.ends_with("::…");
    let last = if whole_module { "" } else { parts.pop().unwrap_or_default() };
    let place = |part: &str| if part == "policy" { "who_gets_in".to_owned() } else { part.to_owned() };
    all.iter().filter(|known| parts.iter().all(|part| known.places.contains(&place(part)))).any(|known| {
        match last.strip_suffix('…') {
            Some(begin) => {
                known.name.starts_with(begin) || known.places.iter().any(|part| part.starts_with(begin))
            }
            None => last.is_empty() || known.name == last || known.places.contains(last),
        }
    })
}

#[test]
fn every_test_that_the_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let all = known(&root.join("crates"));
    assert!(all.len() > 500, "{}", all.len());
    let page = std::fs::read_to_string(root.join("docs/security.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| H"));
    let written: Vec<&str> = rows
        .filter_map(|row| row.trim_end_matches([' ', '|']).rsplit('|').next())
        .flat_map(|column| column.split('`').skip(1).step_by(2))
        .filter(|word| word.contains("::"))
        .collect();
    assert!(written.len() > 100, "{}", written.len());
    let missing: Vec<&&str> = written.iter().filter(|one| !is_there(&all, one)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    for wrong in ["gate::entering::nobody_enters", "gate::nowhere::…", "security::text::x…"] {
        assert!(!is_there(&all, wrong), "{wrong}");
    }
}

#[test]
fn every_class_of_the_data_plane_and_of_the_authority_has_a_row() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/security.md")).unwrap();
    let heads: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| H"))
        .filter_map(|line| line.split('|').nth(1))
        .collect();
    let mut classes = BTreeSet::new();
    for head in heads {
        let numbers: Vec<(u32, bool)> = head
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '–')
            .flat_map(|word| word.split_inclusive('–'))
            .filter_map(|word| {
                let number = word.strip_prefix('H')?.trim_end_matches('–').parse().ok()?;
                Some((number, word.ends_with('–')))
            })
            .collect();
        for (at, (number, to_the_next)) in numbers.iter().enumerate() {
            let last = if *to_the_next { numbers[at + 1].0 } else { *number };
            classes.extend(*number..=last);
        }
    }
    let missing: Vec<u32> = (1..=75).filter(|number| !classes.contains(number)).collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
}
