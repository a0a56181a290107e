//! Commands that take admission away end when the gate has applied it, and say so.

use serde_json::Value;
use testkit::Portal;

use crate::support::binary;

#[test]
fn what_takes_admission_away_is_in_force_when_the_command_ends() {
    let mut portal = Portal::build(&binary()).party("alice").party("bob").prepare();
    portal.start_gate();
    let commands: [(&str, &[&str], &str); 3] = [
        ("bob", &["party", "ungrant", "bob", "--site", "portal.test"], "not-allowed"),
        ("alice", &["party", "suspend", "alice"], "suspended"),
        ("alice", &["party", "remove", "alice", "--yes"], "revoked"),
    ];
    for (party, command, code) in commands {
        let said = portal.countersign(&[command, &["--json"]].concat()).ok().json();
        let refused: Value = portal.curl(Some(party), "/", &[]).json();
        assert_eq!(refused["code"], code, "{command:?}: {refused}");
        assert_eq!(said["applied"].as_array().map(Vec::len), Some(1), "{command:?}: {said}");
        assert_eq!(said["late"].as_array().map(Vec::len), Some(0), "{command:?}: {said}");
        if code == "suspended" {
            portal.countersign(&["party", "resume", party]).ok();
        }
    }
}

#[test]
fn without_a_gate_the_commands_say_that_none_runs() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    for command in [
        &["party", "ungrant", "alice", "--site", "portal.test"][..],
        &["party", "suspend", "alice"],
        &["party", "remove", "alice", "--yes"],
    ] {
        let said = portal.countersign(command).ok();
        assert!(said.stdout.contains("no gate is running"), "{}", said.story());
    }
}
