use testkit::{Portal, openssl};

use crate::support::binary;

/// What openssl says of a list, once it verified its signature.
#[track_caller]
fn shown(portal: &Portal, list: &str, ca: &str) -> String {
    let args = ["crl", "-inform", "DER", "-in", list, "-CAfile", ca, "-noout", "-text"];
    let text = openssl(portal.sandbox.dir(), &args, b"").ok().both();
    assert!(text.contains("verify OK"), "{text}");
    text.to_lowercase()
}

#[test]
fn each_ca_lists_its_own_certificates_and_keeps_them_when_the_party_is_gone() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    let serial = |name: &str| {
        let pem = portal.sandbox.read(&format!("{name}.pem"));
        examiner::cert::pem::certificates(pem.as_bytes()).unwrap()[0].serial_hex()
    };
    portal.countersign(&["operator", "add", "carol", "--out", "."]).ok();
    let (alice, carol) = (serial("alice"), serial("carol"));
    portal.countersign(&["operator", "revoke", "carol"]).ok();
    portal.countersign(&["party", "remove", "alice", "--yes"]).ok();

    portal.countersign(&["ca", "crl", "--out", "client.crl"]).ok();
    portal.countersign(&["ca", "crl", "--issuer", "operator", "--out", "operator.crl"]).ok();
    let client = shown(&portal, "client.crl", "state/ca/client.pem");
    let operator = shown(&portal, "operator.crl", "state/ca/operator.pem");
    assert!(client.contains(&alice) && !client.contains(&carol), "{client}");
    assert!(operator.contains(&carol) && !operator.contains(&alice), "{operator}");
    assert!(operator.contains("privilege withdrawn"), "{operator}");

    let date = |list: &str, which: &str| {
        let args = ["crl", "-inform", "DER", "-in", list, "-noout", which, "-dateopt", "iso_8601"];
        let told = openssl(portal.sandbox.dir(), &args, b"").ok().stdout;
        let text = told.trim().split_once('=').unwrap().1.replace(' ', "T");
        examiner::UnixTime::parse(&text).unwrap()
    };
    for list in ["client.crl", "operator.crl"] {
        assert_eq!(date(list, "-nextupdate"), date(list, "-lastupdate").plus(7 * 86_400), "{list}");
    }
}
