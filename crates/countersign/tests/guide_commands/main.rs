//! The guide and the README are run: every `sh` block of every page, in order, page by page, each page in an empty
//! directory of its own, with the real binary and a real website behind it. What a page says that a block prints is
//! compared.
//!
//! - [`page`] reads a page: its blocks, and which of them say that they cannot run here.
//! - [`script`] makes one shell script of them; `common.sh` and `before/PAGE.sh` make what the page takes for granted.
//! - [`printed`] compares what was printed with what the page shows.

mod page;
mod printed;
mod script;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use page::Page;
use testkit::{Echo, process};

/// Pages that have no command to run here: measuring builds the product and wants the machine to itself.
const WITHOUT_COMMANDS: [&str; 3] = ["console-pictures", "performance", "under-load"];

/// How long one page may take, in seconds.
const PATIENCE_SECONDS: u64 = 150;

/// The pages of the guide, and the README.
fn pages() -> Vec<Page> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guide = root.join("docs/guide").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = guide.chain([root.join("README.md")]).collect();
    // Pictures lie beside the pages.
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    paths.iter().map(|path| Page::read(path)).collect()
}

#[test]
fn every_command_of_the_guide_does_what_its_page_says() {
    let pages = pages();
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = pages.iter().map(|page| scope.spawn(|| run(page))).collect();
        running.into_iter().filter_map(|one| one.join().unwrap().err()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_page_has_a_command_to_run() {
    for page in pages() {
        let named = WITHOUT_COMMANDS.contains(&page.name.as_str());
        assert_eq!(page.commands().next().is_none(), named, "{}: no block runs", page.name);
    }
}

#[test]
fn what_is_made_before_a_page_belongs_to_a_page() {
    let names: Vec<String> = pages().into_iter().map(|page| page.name).collect();
    for entry in script::folder().join("before").read_dir().unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(names.contains(&stem), "{} is for no page", path.display());
    }
}

/// Runs one page; says what is wrong with it.
fn run(page: &Page) -> Result<(), String> {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let echo = Echo::start();
    let words = script::Words::new(echo.port());
    std::fs::write(out.path().join(".curlrc"), "silent\nshow-error\n").unwrap();
    for (number, text) in page.configurations().enumerate() {
        std::fs::write(out.path().join(format!("{}.toml", number + 1)), text).unwrap();
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_countersign"));
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    // `timeout` ends the whole group, with the servers in it, where a page hangs.
    let mut command = Command::new("timeout");
    command.args([&PATIENCE_SECONDS.to_string(), "bash", "-c", &script::of(page, &words)]);
    command.current_dir(folder.path()).env("PATH", path).env("OUT", out.path()).env("CURL_HOME", out.path());
    for (name, value) in words.variables() {
        command.env(name, value);
    }
    let output = process::run(&mut command, b"", Duration::from_secs(PATIENCE_SECONDS + 20));
    let said = |number: usize| {
        std::fs::read_to_string(out.path().join(format!("block.{number}"))).unwrap_or_default()
    };
    if output.code != 0 {
        let all: String =
            (0..=page.commands().count()).map(|number| format!("[{number}]\n{}", said(number))).collect();
        let (name, code) = (&page.name, output.code);
        return Err(format!(
            "{name}: a command failed, exit {code}; by block, 0 is what was made before:\n{all}"
        ));
    }
    for (number, block) in page.commands().enumerate() {
        let Some(expected) = &block.prints else { continue };
        let (expected, seen) = (words.as_shown(expected), said(number + 1));
        if !printed::fits(&expected, &seen) {
            let (name, line) = (&page.name, block.line);
            return Err(format!("{name}:{line}: the page says\n{expected}\nand the command printed\n{seen}"));
        }
    }
    Ok(())
}
