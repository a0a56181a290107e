use testkit::{KeyType, Leaf, Portal, TestKey};

use crate::support::binary;

#[test]
fn a_pinned_key_survives_a_renewal_and_a_pinned_certificate_gives_the_hint() {
    let mut portal = Portal::build(&binary()).prepare();
    let dir = portal.sandbox.dir().to_path_buf();
    for (party, pin) in [("bykey", "key"), ("bycert", "cert")] {
        let key = TestKey::new(KeyType::P256);
        Leaf::new(party).key(&key).self_signed().write(&dir, party);
        Leaf::new(party).key(&key).self_signed().write(&dir, &format!("{party}-renewed"));
        let file = format!("{party}.pem");
        portal
            .countersign(&["party", "add", party, "--cert", &file, "--pin", pin, "--site", "portal.test"])
            .ok();
    }
    portal.start_gate();
    for name in ["bykey", "bykey-renewed", "bycert"] {
        assert_eq!(portal.curl(Some(name), "/", &[]).status, 200, "{name}");
    }
    assert_eq!(portal.echo.count(), 3);
    let refused = portal.curl(Some("bycert-renewed"), "/", &[]);
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("--pin key"), "{}", refused.text());
    assert_eq!(portal.echo.count(), 3);
}
