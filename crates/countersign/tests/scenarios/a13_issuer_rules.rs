use testkit::{Leaf, Portal, TestCa};

use crate::support::binary;

#[test]
fn a_ca_without_a_rule_is_refused_with_its_consequence_in_words() {
    let other = TestCa::new("Other CA");
    let portal = Portal::build(&binary()).file("other.pem", other.pem()).party("alice").prepare();
    let attach = ["ca", "add", "other.pem", "--name", "other", "--site", "portal.test"];
    let refused = portal.countersign(&attach);
    assert_eq!(refused.code, 3, "{}", refused.story());
    for word in ["everyone", "--accept-any", "--named-only", "--match"] {
        assert!(refused.stderr.contains(word), "{word}: {}", refused.story());
    }
    portal.countersign(&[&attach[..], &["--accept-any"]].concat()).ok();
    portal.countersign(&["validate", "--deny", "warnings"]).exited(1);
}

#[test]
fn with_a_match_only_those_who_fit_enter() {
    let other = TestCa::new("Other CA");
    let portal = Portal::build(&binary()).file("other.pem", other.pem()).party("alice").prepare();
    let attach = ["ca", "add", "other.pem", "--name", "other", "--site", "portal.test"];
    portal.countersign(&[&attach[..], &["--match", "san:email=*@acme.example"]].concat()).ok();
    portal.countersign(&["validate", "--deny", "warnings"]).ok();
    let mut portal = portal;
    let dir = portal.sandbox.dir().to_path_buf();
    Leaf::new("in").email("bob@acme.example").issued_by(&other).write(&dir, "in");
    Leaf::new("out").email("bob@elsewhere.example").issued_by(&other).write(&dir, "out");
    portal.start_gate();
    assert_eq!(portal.curl(Some("in"), "/", &[]).status, 200);
    assert_eq!(portal.echo.last().header("countersign-party"), Some("ca/other"));
    assert_eq!(portal.curl(Some("out"), "/", &[]).json()["code"], "not-allowed");
    assert_eq!(portal.echo.count(), 1);
}

#[test]
fn a_site_that_allows_a_ca_of_other_sites_is_warned_about() {
    let other = TestCa::new("Other CA");
    let portal = Portal::build(&binary()).file("other.pem", other.pem()).prepare();
    let attach = ["ca", "add", "other.pem", "--name", "other", "--site", "portal.test", "--match"];
    portal.countersign(&[&attach[..], &["san:dns=*.other.test"]].concat()).ok();
    let shown = portal.countersign(&["site", "show", "portal.test", "--json"]).ok().json();
    assert_eq!(shown["granted"], serde_json::json!(["ca:other"]));
    let add = ["site", "add", "b.test", "--upstream", "http://127.0.0.1:9", "--allow", "ca:other"];
    portal.countersign(&add).ok();
    let said = portal.countersign(&["validate", "--deny", "warnings"]).exited(1);
    let all = format!("{}{}", said.stdout, said.stderr);
    assert!(all.contains("site b.test allows `ca:other`, which is not attached to it"), "{}", said.story());
}
