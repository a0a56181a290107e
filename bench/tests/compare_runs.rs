//! A whole run of the gate alone, as short as it can be.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn the_gate_is_measured_and_reported() {
    let bench = Path::new(env!("CARGO_BIN_EXE_bench"));
    let gate = bench.with_file_name("countersign");
    assert!(gate.is_file(), "build the package `countersign` with the same profile first");
    let out = tempfile::tempdir().expect("a directory");
    let run = Command::new(bench)
        .args(["compare", "--peers", "none", "--rounds", "1", "--seconds", "0.1", "--idle", "16"])
        .args(["--only", "handshake,connection,keepalive-h1,keepalive-h2,body-1m,idle", "--connections", "4"])
        .arg("--gate")
        .arg(&gate)
        .arg("--out")
        .arg(out.path())
        .output()
        .expect("the bench runs");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("workers = 1") && said.contains("keepalive-h2: microseconds"), "{said}");
    let report = std::fs::read_to_string(out.path().join("report.json")).expect("report.json");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["modes"].as_array().map(Vec::len), Some(6));
    assert!(report["modes"][0]["figures"][0]["value"].as_f64() > Some(0.0), "{report}");
    assert!(out.path().join("report.svg").is_file());
}

#[test]
fn a_gate_that_does_not_start_fails_the_run() {
    let out = tempfile::tempdir().expect("a directory");
    let run = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args([
            "compare",
            "--peers",
            "none",
            "--rounds",
            "1",
            "--seconds",
            "0.1",
            "--gate",
            "/bin/false",
            "--out",
        ])
        .arg(out.path())
        .output()
        .expect("the bench runs");
    assert!(!run.status.success());
    assert!(String::from_utf8_lossy(&run.stderr).contains("countersign init"));
    assert!(!out.path().join("report.json").exists());
}
