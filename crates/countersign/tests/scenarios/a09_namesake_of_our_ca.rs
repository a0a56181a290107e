use testkit::{Leaf, Portal, TestCa};

use crate::support::{binary, pending};

#[test]
fn a_ca_with_our_name_and_a_leaf_with_alices_subject_is_an_unknown_issuer_and_marked() {
    let portal = Portal::start(&binary());
    let alice = examiner::cert::pem::certificates(portal.sandbox.read("alice.pem").as_bytes()).unwrap();
    let fake = TestCa::build("x").subject_like(&alice[1]).root();
    Leaf::new("alice").subject_like(&alice[0]).issued_by(&fake).write(portal.sandbox.dir(), "forged");
    let answer = portal.curl(Some("forged"), "/", &[]);
    assert_eq!(answer.json()["code"], "unknown-issuer");
    assert_eq!(portal.echo.count(), 0);
    let entries = pending(&portal);
    assert_eq!(entries[0]["reason"], "unknown-issuer");
    assert!(entries[0].to_string().contains("name equals own CA"), "{}", entries[0]);
}
