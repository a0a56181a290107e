use testkit::{Leaf, Portal, TestCa};

use crate::support::{binary, eventually};

#[test]
fn only_the_client_usage_logs_in_but_for_a_dated_exception() {
    let acme = TestCa::new("Acme CA");
    let portal = Portal::build(&binary()).file("acme.pem", acme.pem()).prepare();
    let attach = ["ca", "add", "acme.pem", "--name", "acme", "--site", "portal.test", "--accept-any"];
    portal.countersign(&attach).ok();
    let mut portal = portal;
    portal.start_gate();
    for (name, leaf) in [
        ("server", Leaf::new("server").server_usage()),
        ("any", Leaf::new("any").any_usage()),
        ("none", Leaf::new("none").without_usage()),
    ] {
        leaf.issued_by(&acme).write(portal.sandbox.dir(), name);
        let problem = portal.curl(Some(name), "/", &[]).json();
        assert_eq!(problem["code"], "wrong-usage", "{name}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("TLS Web Client Authentication") && detail.contains("1.3.6.1.5.5.7.3.2"),
            "{detail}"
        );
    }
    assert_eq!(portal.echo.count(), 0);

    portal.countersign(&["ca", "remove", "acme", "--yes"]).ok();
    portal.countersign(&[&attach[..], &["--accept-without-client-usage-until", "2030-01-01"]].concat()).ok();
    eventually("the exception lets it in", || {
        (portal.curl(Some("server"), "/", &[]).status == 200).then_some(())
    });
    let logged = eventually("the entry is logged as an exception", || {
        let all = portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().json();
        all.as_array()?.iter().find(|e| e["verdict"] == "admitted").cloned()
    });
    assert!(logged.to_string().contains("accept-without-client-usage"), "{logged}");
}
