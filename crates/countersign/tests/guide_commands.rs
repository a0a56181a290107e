//! The guide's commands are run: every `sh` block whose first line is `# runs`, in an empty directory.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use testkit::{Echo, free_port, process};

#[test]
fn the_guides_commands_do_what_they_say() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide");
    let mut pages: Vec<PathBuf> =
        std::fs::read_dir(guide).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    let mut blocks = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        for block in text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            if block.starts_with("# runs\n") {
                blocks += 1;
                run(&page, block);
            }
        }
    }
    assert!(blocks > 0, "the guide has blocks that run");
}

fn run(page: &Path, block: &str) {
    let folder = tempfile::tempdir().unwrap();
    let echo = Echo::start();
    let binary = Path::new(env!("CARGO_BIN_EXE_countersign"));
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let script = format!("set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || :; wait' EXIT\n{block}");
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(folder.path());
    command.env("PATH", path).env("UPSTREAM", echo.url());
    command.env("PORT", free_port().to_string()).env("ADMIN", free_port().to_string());
    let output = process::run(&mut command, b"", Duration::from_secs(60));
    assert_eq!(output.code, 0, "{}: {}", page.display(), output.story());
}
