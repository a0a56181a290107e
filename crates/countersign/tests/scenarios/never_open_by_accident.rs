use std::time::Duration;

use testkit::{Portal, TestCa};

use crate::support::binary;

/// Runs the gate with what `spoil` left of a good portal; it must refuse to start, and say why.
#[track_caller]
fn refuses_to_start(what: &str, spoil: impl FnOnce(&Portal)) {
    let acme = TestCa::new("Acme CA");
    let portal = Portal::build(&binary())
        .file("acme.pem", acme.pem())
        .extra_toml("[ca.acme]\nfile = \"acme.pem\"\nsites = [\"portal.test\"]\naccept_any = true\n")
        .party("alice")
        .prepare();
    portal.countersign(&["validate"]).ok();
    spoil(&portal);
    let refused = portal.countersign(&["run"]);
    assert!(![0, 70, 101].contains(&refused.code), "{what}: {}", refused.story());
    assert!(!refused.stderr.contains("ready"), "{what}: {}", refused.story());
    assert!(refused.stderr.len() > 20, "{what}: {}", refused.story());
}

#[test]
fn whatever_cannot_be_read_stops_the_start() {
    refuses_to_start("a missing CA file", |p| std::fs::remove_file(p.sandbox.path("acme.pem")).unwrap());
    refuses_to_start("an empty CA file", |p| drop(p.sandbox.write("acme.pem", "")));
    refuses_to_start("a broken CA file", |p| {
        let text = p.sandbox.read("acme.pem");
        p.sandbox.write("acme.pem", text.replace("MII", "AAA"));
    });
    refuses_to_start("a damaged database", |p| {
        drop(p.sandbox.write("state/registry.db", "no database at all, though long enough"))
    });
    refuses_to_start("a broken configuration", |p| {
        let text = p.sandbox.read("countersign.toml");
        p.sandbox.write("countersign.toml", text + "\n[site.");
    });
    refuses_to_start("a broken own CA", |p| drop(p.sandbox.write("state/ca/client.pem", "nothing")));
}

#[test]
fn a_reload_with_a_broken_file_leaves_the_old_policy_in_force() {
    let portal = Portal::start(&binary());
    let good = portal.sandbox.read("countersign.toml");
    portal.sandbox.write("countersign.toml", good.replace("upstream", "upsteam"));
    portal.countersign(&["reload"]).exited(3);
    // That asks the gate for nothing, seeing what is wrong by itself; a signal does.
    portal.gate().hang_up();
    portal.gate().wait_stderr("reload failed", Duration::from_secs(60));
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    assert_eq!(portal.curl(None, "/", &[]).status, 403);
    portal.sandbox.write(
        "countersign.toml",
        good.replace("[site.\"portal.test\"]", "[site.\"portal.test\"]\ndeny = [\"alice\"]"),
    );
    portal.countersign(&["reload"]).ok();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).json()["code"], "not-allowed");
    assert_eq!(portal.echo.count(), 1);
}
