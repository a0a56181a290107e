use testkit::{Portal, openssl};

use crate::support::binary;

#[test]
fn both_profiles_open_in_openssl_and_the_password_is_shown_once() {
    let portal = Portal::build(&binary()).prepare();
    let password = portal.add_p12("alice", "compatible");
    assert_eq!(password.chars().count(), 20);
    let pass = format!("pass:{password}");
    let show = |file: &str, pass: &str| {
        openssl(portal.sandbox.dir(), &["pkcs12", "-info", "-in", file, "-passin", pass, "-nodes"], b"")
    };
    let shown = show("alice.p12", &pass).ok().both();
    assert!(shown.contains("pbeWithSHA1And3-KeyTripleDES-CBC") && shown.contains("MAC: sha1"), "{shown}");
    let wrong = show("alice.p12", "pass:");
    assert_ne!(wrong.code, 0, "an empty password opens nothing");

    let pass = format!("pass:{}", portal.add_p12("bob", "modern"));
    let shown = show("bob.p12", &pass).ok().both();
    assert!(shown.contains("AES-256-CBC") && shown.contains("MAC: sha256"), "{shown}");

    for entry in std::fs::read_dir(portal.sandbox.path("state")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(password.len()).any(|w| w == password.as_bytes());
            assert!(!found, "the password stands in {}", path.display());
        }
    }
}

#[test]
fn an_empty_password_is_refused() {
    let portal = Portal::build(&binary()).prepare();
    portal.sandbox.write("empty", "");
    let args = [
        "party",
        "add",
        "alice",
        "--p12",
        "modern",
        "--password-file",
        "empty",
        "--out",
        ".",
        "--site",
        "portal.test",
    ];
    let refused = portal.countersign(&args);
    assert_ne!(refused.code, 0, "{}", refused.story());
    assert!(refused.stderr.contains("password"), "{}", refused.story());
}
