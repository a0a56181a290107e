//! The processes of `run`: who may read what, and what happens when one of them dies.

use rustix::process::{Pid, Signal, kill_process};
use testkit::Portal;

use crate::support::{binary, eventually};

fn kill(pid: u32) {
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn a_gate_that_dies_is_started_again() {
    let portal = Portal::start(&binary());
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    let first = portal.gate().gate_pid().expect("a gate");
    kill(first);
    // The supervisor holds the sockets: whoever comes meanwhile waits in their queues.
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    let second = eventually("another gate", || portal.gate().gate_pid().filter(|pid| *pid != first));
    assert_eq!(portal.curl(None, "/", &[]).status, 403);
    assert_ne!(first, second);
}

#[test]
fn a_supervisor_that_dies_leaves_no_gate_behind() {
    let mut portal = Portal::start(&binary());
    let gate = portal.gate().gate_pid().expect("a gate");
    portal.gate.as_mut().unwrap().kill();
    eventually("the gate's end", || (!std::path::Path::new(&format!("/proc/{gate}")).exists()).then_some(()));
    portal.gate = None;
    portal.start_gate();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
}

#[test]
fn the_gate_serves_where_no_ca_key_can_be_read() {
    let mut portal = Portal::start(&binary());
    portal.stop_gate();
    for file in ["ca.passphrase", "ca/root.key", "ca/client.key", "ca/server.key", "ca/operator.key"] {
        let path = portal.sandbox.path("state").join(file);
        std::fs::rename(&path, path.with_extension("away")).unwrap();
    }
    portal.start_gate();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    assert_eq!(portal.curl(None, "/", &[]).status, 403);
    portal.countersign(&["party", "add", "bob", "--site", "portal.test"]).refused();
}

#[test]
fn the_published_list_names_a_revoked_certificate() {
    let portal = Portal::start(&binary());
    let list = portal.sandbox.path("state/crl/own.crl");
    assert!(list.is_file(), "a list is published from the start");
    // The last list was made a while ago, so that the next need not wait.
    let beside = portal.sandbox.read("state/crl/own.json");
    let mut value: serde_json::Value = serde_json::from_str(&beside).unwrap();
    let number = value["number"].as_u64().unwrap();
    value["at"] = "2026-01-01T00:00:00Z".into();
    portal.sandbox.write("state/crl/own.json", value.to_string());
    portal.countersign(&["party", "revoke", "alice", "--reason", "key-compromise"]).ok();
    let text = eventually("the next list", || {
        let args = ["crl", "-inform", "DER", "-in", "state/crl/own.crl", "-noout", "-text"];
        let text = testkit::openssl(portal.sandbox.dir(), &args, b"").ok().both();
        text.contains("Key Compromise").then_some(text)
    });
    let serial = examiner::cert::pem::certificates(portal.sandbox.read("alice.pem").as_bytes()).unwrap()[0]
        .serial_hex();
    assert!(text.to_lowercase().contains(&serial), "{text}");
    eventually("what the list was made of", || {
        let value: serde_json::Value =
            serde_json::from_str(&portal.sandbox.read("state/crl/own.json")).ok()?;
        (value["number"].as_u64() == Some(number + 1)).then_some(())
    });
    // A second revocation in the same minute waits.
    portal.add_party("bob");
    portal.countersign(&["party", "revoke", "bob"]).ok();
    let done = portal.countersign(&["upkeep", "--json"]).ok().json();
    assert!(done["published"].is_null(), "{done}");
    assert!((1..=60).contains(&done["publish_in"].as_i64().unwrap_or(0)), "{done}");
}
