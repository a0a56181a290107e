use testkit::Portal;

use crate::support::{binary, log_with_code};

#[test]
fn a_changed_byte_in_a_stored_entry_is_named() {
    let mut portal = Portal::start(&binary());
    portal.curl(None, "/", &[]);
    log_with_code(&portal, "no-certificate");
    let found = portal
        .countersign(&["log", "search", "--site", "portal.test", "--since", "1h", "--json"])
        .ok()
        .json();
    let entry =
        found.as_array().unwrap().iter().find(|e| e["verdict"] == "refused").expect("the refusal").clone();
    for key in ["time", "site", "party", "thumbprint", "address", "verdict", "code", "reference"] {
        assert!(entry.get(key).is_some(), "{key} in {entry}");
    }
    portal.countersign(&["log", "verify"]).ok();
    portal.stop_gate();

    let reference = entry["reference"].as_str().unwrap();
    let forged = format!("0{}", &reference[1..]);
    let forged = if forged == reference { format!("1{}", &reference[1..]) } else { forged };
    let mut changed = 0;
    for entry in std::fs::read_dir(portal.sandbox.path("state")).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_file() || !path.file_name().unwrap().to_string_lossy().starts_with("registry.db") {
            continue;
        }
        let mut bytes = std::fs::read(&path).unwrap();
        let places: Vec<usize> = (0..bytes.len().saturating_sub(reference.len()))
            .filter(|at| bytes[*at..].starts_with(reference.as_bytes()))
            .collect();
        for at in places {
            bytes[at..at + forged.len()].copy_from_slice(forged.as_bytes());
            changed += 1;
        }
        std::fs::write(&path, bytes).unwrap();
    }
    assert!(changed > 0, "the reference was found in the store");
    let verdict = portal.countersign(&["log", "verify"]).exited(1);
    assert!(verdict.both().chars().any(|c| c.is_ascii_digit()), "it names the entry: {}", verdict.story());
}
