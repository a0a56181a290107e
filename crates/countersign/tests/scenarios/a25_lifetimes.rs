use testkit::{Leaf, Sandbox, TestCa, times};

use crate::support::binary;

/// A server certificate from this day on for so many days, both ends counted.
fn issued(ca: &TestCa, sandbox: &Sandbox, name: &str, day: &str, days: i64) {
    let first = times::at(&format!("{day}T00:00:00Z"));
    let leaf = Leaf::server("www.example.com").valid(first, first.plus(days * 86_400 - 1));
    leaf.issued_by(ca).write(sandbox.dir(), name);
}

#[test]
fn a_lifetime_is_measured_by_the_limit_of_the_day_of_issue() {
    let sandbox = Sandbox::new(&binary());
    let ca = TestCa::new("Some CA");
    issued(&ca, &sandbox, "before", "2026-03-14", 398);
    issued(&ca, &sandbox, "after", "2026-03-16", 398);
    issued(&ca, &sandbox, "short", "2026-03-16", 199);
    for (name, too_long) in [("before.pem", false), ("after.pem", true), ("short.pem", false)] {
        let told = sandbox.countersign(&["check", name, "--at", "2026-05-01", "--json"]).json();
        let finding = told["findings"].as_array().unwrap().iter().find(|f| f["id"] == "lifetime-too-long");
        assert_eq!(finding.is_some(), too_long, "{name}: {told:#}");
        if let Some(finding) = finding {
            assert_eq!(finding["severity"], "error");
            assert!(finding["expected"].as_str().unwrap().contains("200"), "{finding:#}");
            assert_eq!(finding["in_force"], "2026-03-15T00:00:00Z");
        }
        let private =
            sandbox.countersign(&["check", name, "--at", "2026-05-01", "--private", "--json"]).json();
        assert_eq!(private["profile"]["name"], "private-server");
        assert!(!private.to_string().contains("lifetime-too-long"), "{name}: {private:#}");
    }
}
