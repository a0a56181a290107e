//! A run of `change` as short as it can be: few parties, few streams.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn requests_go_on_while_the_policy_changes_and_a_revocation_ends_its_own_streams_alone() {
    let bench = Path::new(env!("CARGO_BIN_EXE_bench"));
    let gate = bench.with_file_name("countersign");
    assert!(gate.is_file(), "build the package `countersign` with the same profile first");
    let out = tempfile::tempdir().expect("a directory");
    let run = Command::new(bench)
        .args(["change", "--rounds", "2", "--seconds", "0.3", "--connections", "4"])
        .args(["--parties", "1000", "--rules", "100", "--streams", "150", "--gate"])
        .arg(&gate)
        .arg("--out")
        .arg(out.path())
        .output()
        .expect("the bench runs");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    let report = std::fs::read_to_string(out.path().join("change.json")).expect("change.json");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    for round in 0..2 {
        let revocation = &report["revocation"][round];
        assert_eq!((&revocation["revoked"], &revocation["others"]), (&150.into(), &150.into()), "{report}");
        assert!(revocation["last_ms"].as_f64() >= revocation["first_ms"].as_f64(), "{report}");
        for load in [0, 1] {
            let round = &report["load"][load]["rounds"][round];
            assert_eq!(round["changes"], 3, "{report}");
            assert!(round["with"]["p99"].as_f64() > Some(0.0), "{report}");
            assert!(round["without"]["p99"].as_f64() > Some(0.0), "{report}");
        }
    }
}

#[test]
fn more_changes_than_parties_are_refused_before_anything_starts() {
    let run = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["change", "--rounds", "100", "--seconds", "1", "--parties", "1000", "--gate", "/bin/false"])
        .output()
        .expect("the bench runs");
    assert!(!run.status.success());
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(said.contains("2000 changes need as many parties"), "{said}");
}
