//! The authority with many certificates on record, a fiftieth of what the figures in the guide are of.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn twenty_thousand_certificates_are_listed_answered_for_and_loaded() {
    let bench = Path::new(env!("CARGO_BIN_EXE_bench"));
    let gate = bench.with_file_name("countersign");
    assert!(gate.is_file(), "build the package `countersign` with the same profile first");
    let out = tempfile::tempdir().expect("a directory");
    let run = Command::new(bench)
        .args(["scale", "--certificates", "20000", "--gate"])
        .arg(&gate)
        .arg("--out")
        .arg(out.path())
        .output()
        .expect("the bench runs");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    let report = std::fs::read_to_string(out.path().join("scale.json")).expect("scale.json");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    // A thousand of them, one before the gate runs, and one while it does.
    assert_eq!(report["revoked"], 1002, "{report}");
    let [whole, part] = [0, 1].map(|i| report["list"][i].as_u64().expect("bytes"));
    assert!(whole > 1000 * 30, "a thousand entries: {report}");
    assert!(part < whole, "{report}");
    // Thumbprint, key and names of each, and no more than as much again.
    let kept = report["last_policy"].as_u64().expect("bytes");
    assert!((20_000 * 100..20_000 * 200).contains(&kept), "{report}");
}
