use testkit::{Leaf, Portal};

use crate::support::{binary, eventually, pending};

#[test]
fn a_saved_certificate_enters_its_twin_waits_and_is_approved_by_reference() {
    let mut portal = Portal::build(&binary()).prepare();
    Leaf::new("acme").self_signed().write(portal.sandbox.dir(), "saved");
    Leaf::new("acme").self_signed().write(portal.sandbox.dir(), "twin");
    let add = ["party", "add", "acme", "--cert", "saved.pem", "--pin", "cert", "--site", "portal.test"];
    portal.countersign(&add).ok();
    portal.start_gate();
    assert_eq!(portal.curl(Some("saved"), "/", &[]).status, 200);
    assert_eq!(portal.echo.count(), 1);

    let refused = portal.curl(Some("twin"), "/", &[]);
    assert_eq!(refused.json()["code"], "unknown-issuer");
    assert_eq!(portal.echo.count(), 1);
    let reference = refused.json()["reference"].as_str().unwrap().to_owned();
    let entry = pending(&portal)[0].clone();
    let id = entry["id"].as_str().unwrap();
    let approve = |reference: &str| {
        portal.countersign(&[
            "pending",
            "approve",
            id,
            "--as",
            "acme",
            "--site",
            "portal.test",
            "--reference",
            reference,
        ])
    };
    approve("ZZZZ-99").exited(1);
    assert_eq!(portal.curl(Some("twin"), "/", &[]).status, 403);
    approve(&reference).ok();
    eventually("the approved one enters without a restart", || {
        (portal.curl(Some("twin"), "/", &[]).status == 200).then_some(())
    });
}
