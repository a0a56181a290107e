//! The console's pages with fewer rows than the figures in the guide are of.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn every_page_is_answered_and_measured() {
    let bench = Path::new(env!("CARGO_BIN_EXE_bench"));
    let gate = bench.with_file_name("countersign");
    assert!(gate.is_file(), "build the package `countersign` with the same profile first");
    let out = tempfile::tempdir().expect("a directory");
    let run = Command::new(bench)
        .args(["pages", "--parties", "1000", "--entries", "200000", "--times", "2", "--gate"])
        .arg(&gate)
        .arg("--out")
        .arg(out.path())
        .output()
        .expect("the bench runs");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    let report = std::fs::read_to_string(out.path().join("pages.json")).expect("pages.json");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let pages = report["pages"].as_array().expect("pages");
    assert!(pages.len() > 15, "{report}");
    // A page of many is not longer than one of few.
    assert!(pages.iter().all(|page| page["bytes"].as_u64() < Some(200_000)), "{report}");
}
