//! A registry that is away, damaged or restored opens no door and loses no denial.

use std::path::Path;

use testkit::Portal;

use crate::support::{binary, eventually, log_with_code};

const FILES: [&str; 3] = ["registry.db", "registry.db-wal", "registry.db-shm"];

/// Moves or copies the registry's files. A gate that runs sees the old database, none, or the whole new one: what stands
/// beside it is in place before it, and it comes by its name at once.
fn carry(from: &Path, to: &Path, keep: bool) {
    std::fs::create_dir_all(to).unwrap();
    for file in FILES {
        let _ = std::fs::remove_file(to.join(file));
    }
    for file in FILES.into_iter().rev().filter(|file| from.join(file).exists()) {
        let beside = to.join(format!("{file}.new"));
        std::fs::copy(from.join(file), &beside).unwrap();
        std::fs::rename(beside, to.join(file)).unwrap();
    }
    for file in FILES.into_iter().filter(|_| !keep) {
        let _ = std::fs::remove_file(from.join(file));
    }
}

#[test]
fn a_gate_starts_from_its_last_policy_while_the_registry_is_away() {
    let mut portal = Portal::build(&binary()).party("alice").party("mallory").start();
    portal.countersign(&["party", "revoke", "mallory"]).ok();
    portal.stop_gate();
    let (state, away) = (portal.sandbox.path("state"), portal.sandbox.path("away"));
    carry(&state, &away, false);
    portal.start_gate();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    assert_eq!(portal.curl(Some("mallory"), "/", &[]).json()["code"], "revoked");
    assert_eq!(portal.curl(None, "/", &[]).status, 403);
    assert_eq!(portal.echo.count(), 1);
    assert!(!state.join("registry.db").exists(), "no empty registry takes its place");
    portal.countersign(&["party", "add", "bob"]).refused();

    carry(&away, &state, false);
    portal.gate().wait_stderr("followed again", std::time::Duration::from_secs(60));
    assert!(!log_with_code(&portal, "no-certificate").is_empty(), "what happened meanwhile is in the log");
    portal.countersign(&["party", "revoke", "alice"]).ok();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).json()["code"], "revoked");
}

#[test]
fn a_policy_on_disk_that_was_changed_is_not_served() {
    let mut portal = Portal::start(&binary());
    portal.stop_gate();
    carry(&portal.sandbox.path("state"), &portal.sandbox.path("away"), false);
    let last = std::fs::read(portal.sandbox.path("state/snapshot/last")).unwrap();
    portal.sandbox.write("state/snapshot/last", renamed(&last, b"alice", b"mallo"));
    let refused = portal.countersign(&["run"]).exited(3);
    assert!(refused.stderr.contains("seal"), "{}", refused.story());
    portal.sandbox.write("state/snapshot/last", &last);
    portal.start_gate();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
}

/// The bytes with one name, wherever it stands, in the place of another.
fn renamed(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!places.is_empty(), "the name is there");
    places.into_iter().for_each(|at| bytes[at..at + to.len()].copy_from_slice(to));
    bytes
}

/// Starts the gate; whether it began with its last policy, and not with the whole registry.
fn start_with_last(portal: &mut Portal) -> bool {
    portal.start_gate();
    portal.gate().stderr().contains("begun with the last policy")
}

#[test]
fn a_gate_begins_with_its_last_policy_and_what_changed_since() {
    let mut portal = Portal::build(&binary()).party("alice").party("bob").start();
    portal.stop_gate();
    portal.countersign(&["party", "revoke", "alice"]).ok();
    assert!(start_with_last(&mut portal), "{}", portal.gate().stderr());
    assert_eq!(portal.curl(Some("alice"), "/", &[]).json()["code"], "revoked");
    assert_eq!(portal.curl(Some("bob"), "/", &[]).status, 200);
    portal.countersign(&["party", "suspend", "bob"]).ok();
    assert_eq!(portal.curl(Some("bob"), "/", &[]).json()["code"], "suspended");
}

#[test]
fn an_older_copy_of_the_last_policy_brings_nobody_back() {
    let mut portal = Portal::build(&binary()).party("alice").party("bob").start();
    portal.stop_gate();
    let older = std::fs::read(portal.sandbox.path("state/snapshot/last")).unwrap();
    portal.start_gate();
    portal.countersign(&["party", "revoke", "alice"]).ok();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).json()["code"], "revoked");
    portal.stop_gate();
    portal.sandbox.write("state/snapshot/last", older);
    assert!(start_with_last(&mut portal), "{}", portal.gate().stderr());
    assert_eq!(portal.curl(Some("alice"), "/", &[]).json()["code"], "revoked");
    assert_eq!(portal.curl(Some("bob"), "/", &[]).status, 200);
}

#[test]
fn a_last_policy_that_is_of_no_use_leaves_the_registry_to_be_read() {
    let mut portal = Portal::build(&binary()).party("alice").party("bob").start();
    portal.countersign(&["party", "revoke", "alice"]).ok();
    portal.stop_gate();
    let last = std::fs::read(portal.sandbox.path("state/snapshot/last")).unwrap();
    let key = std::fs::read(portal.sandbox.path("state/snapshot.key")).unwrap();
    let damages: [(&str, &[u8], Vec<u8>); 5] = [
        ("cut", &key, last[..last.len() - 1].to_vec()),
        ("empty", &key, Vec::new()),
        ("changed", &key, renamed(&last, b"alice", b"mallo")),
        ("another key's", &[7; 32], last.clone()),
        ("of an older format", &key, b"{\"format\":1}\n".to_vec()),
    ];
    for (what, key, last) in damages {
        portal.sandbox.write("state/snapshot.key", key);
        portal.sandbox.write("state/snapshot/last", last);
        assert!(!start_with_last(&mut portal), "{what}");
        assert_eq!(portal.curl(Some("alice"), "/", &[]).json()["code"], "revoked", "{what}");
        assert_eq!(portal.curl(Some("bob"), "/", &[]).status, 200, "{what}");
        portal.stop_gate();
    }
    assert!(start_with_last(&mut portal), "the next is whole again: {}", portal.gate().stderr());
    assert_eq!(portal.curl(Some("alice"), "/", &[]).json()["code"], "revoked");
}

#[test]
fn a_registry_that_is_gone_is_not_made_anew() {
    let mut portal = Portal::start(&binary());
    portal.stop_gate();
    carry(&portal.sandbox.path("state"), &portal.sandbox.path("away"), false);
    std::fs::remove_dir_all(portal.sandbox.path("state/snapshot")).unwrap();
    let refused = portal.countersign(&["run"]).exited(3);
    assert!(refused.stderr.contains("registry.db"), "{}", refused.story());
    assert!(!portal.sandbox.path("state/registry.db").exists());
}

#[test]
fn a_restored_registry_brings_nobody_back_until_an_operator_says_so() {
    let mut portal = Portal::build(&binary()).party("alice").party("bob").start();
    portal.stop_gate();
    let (state, copy) = (portal.sandbox.path("state"), portal.sandbox.path("copy"));
    carry(&state, &copy, true);
    portal.start_gate();
    portal.countersign(&["party", "revoke", "alice"]).ok();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).json()["code"], "revoked");

    // Restored while the gate runs.
    carry(&copy, &state, true);
    eventually("attention", || {
        let status = portal.countersign(&["status"]);
        (status.code == 1 && status.stdout.contains("restored")).then_some(())
    });
    assert_eq!(portal.curl(Some("alice"), "/", &[]).json()["code"], "revoked");
    assert_eq!(portal.curl(Some("bob"), "/", &[]).status, 200);

    // Kept over a restart.
    portal.stop_gate();
    portal.start_gate();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).json()["code"], "revoked");
    portal.countersign(&["reload"]).ok();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).json()["code"], "revoked");

    portal.countersign(&["reload", "--accept-restored"]).ok();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    eventually("no attention", || (portal.countersign(&["status"]).code == 0).then_some(()));
}
