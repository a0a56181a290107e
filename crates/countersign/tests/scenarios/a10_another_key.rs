use testkit::{Leaf, Portal};

use crate::support::{binary, log_with_code};

#[test]
fn a_certificate_shown_with_another_key_fails_in_both_modes_and_blames_nobody() {
    for how in ["page", "handshake"] {
        let portal = Portal::build(&binary()).on_refuse(how).party("alice").start();
        let other = Leaf::new("eve").self_signed();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let alice_pem = portal.sandbox.read("alice.pem");
        let alice = testkit::TestCert {
            der: examiner::cert::pem::certificates(alice_pem.as_bytes()).unwrap()[0].der.to_vec(),
            pem: alice_pem.clone(),
            key_pem: other.key_pem.clone(),
            chain_pem: alice_pem,
            key: other.key.clone(),
        };
        let client = portal.client().showing_stolen(&alice, &other);
        let failed = runtime.block_on(client.knock(portal.port, "portal.test", "/")).expect_err("no way in");
        assert_eq!(failed.alert, Some(51), "{how}: {failed:?}");
        assert_eq!(portal.echo.count(), 0);
        let logged = log_with_code(&portal, "possession-failed");
        assert!(logged.iter().all(|entry| entry["party"].is_null()), "{logged:?}");
    }
}
