use testkit::{Echo, Portal};

use crate::support::binary;

#[test]
fn a_connection_made_for_one_site_cannot_ask_for_another() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    let other = Echo::start();
    portal.countersign(&["site", "add", "b.test", "--upstream", &other.url()]).ok();
    portal.countersign(&["party", "add", "bob", "--site", "b.test", "--pem", "--out", "."]).ok();
    let mut portal = portal;
    portal.start_gate();
    for (host, status) in [
        ("portal.test", 200),
        ("PORTAL.TEST.", 200),
        ("portal.test:8443", 200),
        ("b.test", 421),
        ("B.test", 421),
        ("c.test", 421),
        ("b.test.", 421),
    ] {
        let header = format!("Host: {host}");
        let answer = portal.curl(Some("alice"), "/", &["--http1.1", "-H", &header]);
        assert_eq!(answer.status, status, "{host}");
        if status == 421 {
            assert_eq!(answer.json()["code"], "host-mismatch", "{host}");
        }
    }
    assert_eq!(portal.echo.count(), 3);
    assert_eq!(other.count(), 0, "the other site saw nothing");
}
