use testkit::{Portal, openssl_s_client};

use crate::support::binary;

#[test]
fn a_missing_or_unknown_name_ends_the_handshake_with_alert_112() {
    let portal = Portal::start(&binary());
    for name in [None, Some("unknown.test"), Some("admin_.countersign.internal"), Some("localhost")] {
        let seen = openssl_s_client(
            portal.sandbox.dir(),
            portal.port,
            name,
            &["-tls1_3", "-cert", "alice.pem", "-key", "alice.key"],
        );
        assert_eq!(seen.alert, Some(112), "{name:?}: {}", seen.output);
    }
    assert_eq!(portal.echo.count(), 0);
}

#[test]
fn a_default_site_takes_connections_without_a_name_under_its_own_policy() {
    let portal = Portal::build(&binary()).site_line("default = true").party("alice").start();
    let seen = openssl_s_client(
        portal.sandbox.dir(),
        portal.port,
        None,
        &["-tls1_3", "-cert", "alice.pem", "-key", "alice.key"],
    );
    assert!(seen.output.contains("200 OK"), "{}", seen.output);
    let seen = openssl_s_client(portal.sandbox.dir(), portal.port, None, &["-tls1_3"]);
    assert!(seen.output.contains("403"), "{}", seen.output);
    assert_eq!(portal.echo.count(), 1);
}

#[test]
fn old_protocols_and_resumption_are_not_offered() {
    let portal = Portal::start(&binary());
    let dir = portal.sandbox.dir();
    let old = openssl_s_client(
        dir,
        portal.port,
        Some("portal.test"),
        &["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"],
    );
    assert!(matches!(old.alert, Some(40 | 70)), "{}", old.output);
    for version in ["-tls1_2", "-tls1_3"] {
        let args = [version, "-cert", "alice.pem", "-key", "alice.key", "-sess_out", "session"];
        openssl_s_client(dir, portal.port, Some("portal.test"), &args);
        let again = [version, "-cert", "alice.pem", "-key", "alice.key", "-sess_in", "session"];
        if dir.join("session").exists() {
            let seen = openssl_s_client(dir, portal.port, Some("portal.test"), &again);
            assert!(!seen.output.contains("Reused, TLS"), "{}", seen.output);
            std::fs::remove_file(dir.join("session")).unwrap();
        }
        let first = openssl_s_client(dir, portal.port, Some("portal.test"), &args[..5]);
        assert!(!first.output.contains("TLS session ticket:"), "{}", first.output);
    }
}
