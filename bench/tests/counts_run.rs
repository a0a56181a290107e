//! Short runs of what counts with valgrind and strace.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What `bench ARGUMENTS` writes to this file.
fn report(arguments: &[&str], file: &str) -> Value {
    let bench = Path::new(env!("CARGO_BIN_EXE_bench"));
    let gate = bench.with_file_name("countersign");
    assert!(gate.is_file(), "build the package `countersign` with the same profile first");
    let out = tempfile::tempdir().expect("a directory");
    let run = Command::new(bench)
        .args(arguments)
        .arg("--gate")
        .arg(&gate)
        .arg("--out")
        .arg(out.path())
        .output()
        .expect("the bench runs");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    let report = std::fs::read_to_string(out.path().join(file)).expect("a report");
    serde_json::from_str(&report).expect("JSON")
}

#[test]
fn a_kept_requests_instructions_and_system_calls_are_counted() {
    let counts = report(&["count", "--only", "keepalive-h1", "--units", "200"], "count.json");
    let of = |what: &str| counts[0][what].as_f64().expect("a number");
    // All threads together also do what has nothing to do with a request, the more of it the longer all takes.
    assert!(of("instructions") >= of("serving"), "{counts}");
    assert!((10_000.0..2_000_000.0).contains(&of("serving")), "{counts}");
    assert!((4.0..20.0).contains(&of("system_calls")), "{counts}");
}

#[test]
fn a_row_tells_of_each_number_of_connections() {
    let rows = report(&["grow", "--parties", "10", "--live", "5,1", "--units", "20"], "grow.json");
    let rows = rows.as_array().expect("rows");
    let told: Vec<_> = rows.iter().map(|row| (row["parties"].as_u64(), row["live"].as_u64())).collect();
    assert_eq!(told, [(Some(10), Some(1)), (Some(10), Some(5))]);
    for row in rows {
        assert!(row["instructions_h1"].as_f64() > Some(10_000.0), "{row}");
        assert!(row["instructions_h2"].as_f64() > Some(10_000.0), "{row}");
        assert!(row["memory_kb"].as_u64() > Some(1_000), "{row}");
    }
}
