use testkit::{Portal, TestCa, tools};

use crate::support::binary;

#[test]
fn a_ca_of_one_site_vouches_for_nobody_at_another_even_right_after_a_success() {
    let acme = TestCa::new("Acme CA");
    let portal = Portal::build(&binary()).file("acme.pem", acme.pem()).prepare();
    let upstream = portal.echo.url();
    portal.countersign(&["site", "add", "b.test", "--upstream", &upstream]).ok();
    let attach = ["ca", "add", "acme.pem", "--name", "acme", "--site", "portal.test", "--accept-any"];
    portal.countersign(&attach).ok();
    let mut portal = portal;
    acme.issue("visitor").write(portal.sandbox.dir(), "visitor");
    portal.start_gate();
    for _ in 0..3 {
        assert_eq!(portal.curl(Some("visitor"), "/", &[]).status, 200);
        let other = tools::curl_at(portal.sandbox.dir(), "b.test", portal.port, Some("visitor"), "/", &[]);
        assert_eq!(other.json()["code"], "unknown-issuer", "{}", other.stderr);
    }
    assert_eq!(portal.echo.count(), 3);
}
