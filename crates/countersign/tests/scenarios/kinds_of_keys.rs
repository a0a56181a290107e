use testkit::{Portal, openssl};

use crate::support::binary;

#[test]
fn a_party_gets_the_kind_of_key_asked_for_and_enters_with_it() {
    let mut portal = Portal::build(&binary()).prepare();
    let kinds = [
        ("ecdsa-p256", "NIST CURVE: P-256"),
        ("ecdsa-p384", "NIST CURVE: P-384"),
        ("rsa-3072", "(3072 bit"),
        ("ed25519", "ED25519"),
    ];
    for (kind, _) in kinds {
        let add = [
            "party",
            "add",
            kind,
            "--site",
            "portal.test",
            "--key-type",
            kind,
            "--pem",
            "--out",
            ".",
            "--json",
        ];
        let password = portal.countersign(&add).ok().json()["password"].as_str().unwrap().to_owned();
        let file = format!("{kind}.p12");
        let pass = format!("pass:{password}");
        let args = ["pkcs12", "-in", &file, "-passin", &pass, "-noenc", "-nocerts", "-out", "again.key"];
        openssl(portal.sandbox.dir(), &args, b"").ok();
        let public =
            |key: &str| openssl(portal.sandbox.dir(), &["pkey", "-in", key, "-pubout"], b"").ok().stdout;
        assert_eq!(public("again.key"), public(&format!("{kind}.key")));
    }
    portal.start_gate();
    for (kind, shown) in kinds {
        let text =
            openssl(portal.sandbox.dir(), &["pkey", "-in", &format!("{kind}.key"), "-noout", "-text"], b"");
        assert!(text.ok().stdout.contains(shown), "{kind}");
        assert_eq!(portal.curl(Some(kind), "/", &[]).status, 200, "{kind}");
    }
    let refused = portal.countersign(&["party", "add", "eve", "--key-type", "rsa-1024"]).exited(2);
    assert!(refused.stderr.contains("ecdsa-p256, ecdsa-p384, rsa-3072, ed25519"), "{}", refused.story());
}
