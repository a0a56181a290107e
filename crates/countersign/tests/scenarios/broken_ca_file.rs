//! A trusted issuer's file that is broken keeps nobody from taking admission away, and opens nothing.

use std::time::Duration;

use testkit::{Portal, TestCa, tools};

use crate::support::{binary, eventually};

const ACME: &str =
    "[ca.acme]\nfile = \"acme.pem\"\nsites = [\"portal.test\"]\nmatch = [\"subject:cn=partner\"]\n";

/// A running portal with a trusted issuer, whose holder is admitted.
fn portal(acme: &TestCa, parties: &[&str]) -> Portal {
    let build = Portal::build(&binary())
        .file("acme.pem", acme.pem())
        .site_line("allow = [\"ca:acme\"]")
        .extra_toml(ACME);
    let mut portal = parties.iter().fold(build, |build, name| build.party(name)).prepare();
    acme.issue("partner").write(portal.sandbox.dir(), "partner");
    portal.start_gate();
    assert_eq!(portal.curl(Some("partner"), "/", &[]).status, 200);
    portal
}

fn code(portal: &Portal, name: &str) -> String {
    let answer = portal.curl(Some(name), "/", &[]);
    if answer.status == 200 { "200".into() } else { answer.json()["code"].as_str().unwrap().to_owned() }
}

#[test]
fn revoking_goes_on_with_a_warning_and_what_is_in_force_stays() {
    let portal = portal(&TestCa::new("Acme CA"), &["alice", "bob", "carol", "dave"]);
    for broken in ["no certificate", "", &portal.sandbox.read("partner.pem")] {
        portal.sandbox.write("acme.pem", broken);
        portal.countersign(&["validate"]).exited(3);
    }
    let revoked =
        portal.countersign(&["party", "revoke", "alice", "--reason", "key-compromise", "--yes"]).ok();
    assert!(revoked.stderr.contains("CA acme is left out here"), "{}", revoked.story());
    assert!(revoked.stdout.contains("applied by"), "{}", revoked.story());
    assert_eq!(code(&portal, "alice"), "revoked");
    std::fs::remove_file(portal.sandbox.path("acme.pem")).unwrap();
    portal.countersign(&["party", "suspend", "bob"]).ok();
    assert_eq!(code(&portal, "bob"), "suspended");
    portal.countersign(&["party", "ungrant", "carol", "--site", "portal.test"]).ok();
    assert_eq!(code(&portal, "carol"), "not-allowed");
    let status = portal.countersign(&["status"]).exited(1);
    assert!(status.stdout.contains("acme.pem cannot be read"), "{}", status.story());

    // Sites are read anew with the configuration; the broken file holds up neither them nor what comes after.
    portal.countersign(&["site", "add", "b.test", "--upstream", &portal.echo.url()]).ok();
    eventually("the new site is served", || {
        let answer = tools::curl_at(portal.sandbox.dir(), "b.test", portal.port, Some("dave"), "/", &[]);
        (answer.status == 403).then_some(())
    });
    portal.countersign(&["party", "suspend", "dave"]).ok();
    assert_eq!(code(&portal, "dave"), "suspended");
    assert_eq!(code(&portal, "partner"), "200", "its certificates in force stay");

    // What an operator asks for by name is refused whole.
    portal.countersign(&["reload"]).exited(3);
    portal.countersign(&["site", "export", "portal.test", "--for", "nginx", "--out", "out"]).exited(3);
    portal.sandbox.write("other.pem", TestCa::new("Other CA").pem());
    let twice = ["ca", "add", "other.pem", "--name", "acme", "--site", "portal.test", "--named-only"];
    let refused = portal.countersign(&twice).exited(2);
    assert!(refused.stderr.contains("CA acme is there already"), "{}", refused.story());
}

#[test]
fn a_repaired_file_is_taken_and_a_start_with_a_broken_one_is_refused() {
    let acme = TestCa::new("Acme CA");
    let mut portal = portal(&acme, &["alice"]);
    portal.sandbox.write("acme.pem", "no certificate");
    portal.countersign(&["site", "add", "b.test", "--upstream", &portal.echo.url()]).ok();
    portal.gate().wait_stderr("its certificates in force stay", Duration::from_secs(20));
    let other = TestCa::new("Other CA");
    other.issue("partner").write(portal.sandbox.dir(), "other");
    portal.sandbox.write("acme.pem", other.pem());
    // Not by asking again and again: a stranger above the number a minute gets an alert for a page.
    portal.gate().wait_stderr("certificates of CA acme read from its file", Duration::from_secs(60));
    assert_eq!([code(&portal, "other"), code(&portal, "partner")], ["200", "unknown-issuer"]);
    portal.countersign(&["status"]).ok();

    portal.stop_gate();
    portal.sandbox.write("acme.pem", "no certificate");
    portal.countersign(&["run"]).exited(3);
    let revoked = portal.countersign(&["party", "revoke", "alice", "--yes"]).ok();
    assert!(revoked.stdout.contains("no gate is running"), "{}", revoked.story());
}

#[test]
fn settings_that_cannot_be_put_in_force_hold_up_no_suspension() {
    let mut portal = Portal::build(&binary()).party("alice").party("bob").prepare();
    portal.start_gate();
    assert_eq!([code(&portal, "alice"), code(&portal, "bob")], ["200", "200"]);
    // An issuer that was never in force: there is nothing to keep, so the site that comes with it is not served.
    let text = portal.sandbox.read("countersign.toml");
    portal.sandbox.write("countersign.toml", format!("{text}\n{ACME}"));
    portal.countersign(&["site", "add", "b.test", "--upstream", &portal.echo.url()]).ok();
    let late = portal.countersign(&["party", "suspend", "alice"]).exited(1);
    assert!(late.stderr.contains("has not applied it yet"), "{}", late.story());
    eventually("alice is refused", || (code(&portal, "alice") == "suspended").then_some(()));
    assert_eq!(code(&portal, "bob"), "200");
    portal.sandbox.write("acme.pem", TestCa::new("Acme CA").pem());
    eventually("all of it is in force", || {
        let answer = tools::curl_at(portal.sandbox.dir(), "b.test", portal.port, Some("bob"), "/", &[]);
        (answer.status == 403).then_some(())
    });
    portal.countersign(&["party", "suspend", "bob"]).ok();
    assert_eq!(code(&portal, "bob"), "suspended");
}
