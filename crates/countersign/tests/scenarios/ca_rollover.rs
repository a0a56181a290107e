use testkit::{Portal, openssl};

use crate::support::{binary, eventually};

fn enters(portal: &Portal, name: &str) -> bool {
    portal.curl(Some(name), "/", &[]).status == 200
}

#[test]
fn both_generations_enter_until_a_rollover_is_finished_and_stragglers_keep_it_from_that() {
    let portal = Portal::start(&binary());
    portal.add_party("bob");
    eventually("bob's entry", || enters(&portal, "bob").then_some(()));
    portal.countersign(&["ca", "rollover", "status"]).ok();
    portal.countersign(&["ca", "rollover", "finish"]).exited(1);
    portal.countersign(&["ca", "rollover", "start", "--dry-run"]).ok();
    assert!(!portal.sandbox.path("state/ca/client.old.pem").exists());

    portal.countersign(&["ca", "rollover", "start", "--key", "ecdsa-p384"]).ok();
    portal.countersign(&["ca", "rollover", "start"]).exited(1);
    portal.add_party("carol");
    eventually("carol's entry", || enters(&portal, "carol").then_some(()));
    assert!(enters(&portal, "alice") && enters(&portal, "bob"), "the old generation is trusted");
    let status = portal.countersign(&["ca", "rollover", "status", "--json"]).exited(1).json();
    let who = |status: &serde_json::Value| -> Vec<String> {
        let rows = status[0]["stragglers"].as_array().unwrap();
        rows.iter().map(|row| row["holder"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(who(&status), ["alice", "bob"]);
    let said = portal.countersign(&["status"]).both();
    assert!(said.contains("a rollover of the client CA is under way: 2 certificate(s)"), "{said}");

    // Each generation has its own list.
    portal.countersign(&["party", "revoke", "alice"]).ok();
    let lists = [&["--old"][..], &[]].map(|more| {
        let file = if more.is_empty() { "new.pem" } else { "old.pem" };
        let args = [&["ca", "crl", "--format", "pem", "--out", file], more].concat();
        portal.countersign(&args).ok();
        let ca = if more.is_empty() { "state/ca/client.pem" } else { "state/ca/client.old.pem" };
        let shown =
            openssl(portal.sandbox.dir(), &["crl", "-in", file, "-CAfile", ca, "-noout", "-text"], b"").ok();
        assert!(shown.both().contains("verify OK"), "{}", shown.story());
        shown.both().contains("Serial Number")
    });
    assert_eq!(lists, [true, false], "alice is on the old generation's list alone");
    eventually("the old generation's published list", || {
        portal.sandbox.path("state/crl/own-old.crl").exists().then_some(())
    });

    let refused = portal.countersign(&["ca", "rollover", "finish"]).exited(1);
    assert!(refused.stderr.contains("bob") && !refused.stderr.contains("alice"), "{}", refused.story());
    assert!(enters(&portal, "bob"));
    portal.countersign(&["ca", "rollover", "finish", "--force", "--dry-run"]).ok();
    let finished = portal.countersign(&["ca", "rollover", "finish", "--force", "--json"]).ok().json();
    assert_eq!(finished["refused"][0]["holder"], "bob");
    eventually("the end of bob's entry", || (portal.curl(Some("bob"), "/", &[]).status == 403).then_some(()));
    assert!(enters(&portal, "carol"));
    for gone in ["ca/client.old.pem", "ca/client.old.key", "crl/own-old.crl"] {
        assert!(!portal.sandbox.path("state").join(gone).exists(), "{gone}");
    }
    portal.countersign(&["ca", "rollover", "status"]).ok();
}

#[test]
fn a_rollover_without_stragglers_is_finished_without_force() {
    let portal = Portal::start(&binary());
    portal.countersign(&["ca", "rollover", "start", "--issuer", "operator"]).ok();
    let status = portal.countersign(&["ca", "rollover", "status", "--json"]).exited(1).json();
    assert_eq!(status[0]["stragglers"][0]["holder"], "operator");
    portal.countersign(&["operator", "add", "second", "--role", "owner", "--out", "."]).ok();
    portal.countersign(&["operator", "revoke", "operator"]).ok();
    portal.countersign(&["ca", "rollover", "status"]).ok();
    portal.countersign(&["ca", "rollover", "finish", "--issuer", "operator"]).ok();
    portal.countersign(&["ca", "crl", "--issuer", "operator", "--out", "list.crl"]).ok();
    portal.countersign(&["ca", "crl", "--issuer", "operator", "--old"]).exited(1);
}
