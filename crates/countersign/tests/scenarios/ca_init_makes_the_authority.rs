use testkit::{Portal, openssl};

use crate::support::binary;

#[test]
fn an_authority_is_made_once_with_the_keys_that_were_asked_for() {
    let portal = Portal::build(&binary()).prepare();
    let taken = portal.countersign(&["ca", "init"]).exited(1);
    assert!(taken.stderr.contains("holds an authority already"), "{}", taken.story());

    let dir = portal.sandbox.dir().to_path_buf();
    std::fs::remove_dir_all(dir.join("state/ca")).unwrap();
    std::fs::remove_file(dir.join("state/ca.passphrase")).unwrap();
    portal.sandbox.write("secret", "a passphrase of one's own choosing\n");
    std::fs::set_permissions(dir.join("secret"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    portal
        .countersign(&["ca", "init", "--key", "ecdsa-p384", "--passphrase-file", "secret", "--dry-run"])
        .ok();
    assert!(!dir.join("state/ca").exists(), "a dry run makes nothing");
    portal.countersign(&["ca", "init", "--key", "ecdsa-p384", "--passphrase-file", "secret"]).ok();
    assert!(!dir.join("state/ca.passphrase").exists(), "the passphrase stays where it is");
    let text = openssl(&dir, &["x509", "-in", "state/ca/root.pem", "-noout", "-text"], b"").ok().both();
    assert!(text.contains("secp384r1"), "{text}");
    // The later commands find the passphrase again.
    portal.countersign(&["party", "add", "alice", "--site", "portal.test", "--pem", "--out", "."]).ok();
    std::fs::rename(dir.join("secret"), dir.join("gone")).unwrap();
    portal.countersign(&["party", "add", "bob", "--site", "portal.test"]).refused();
}
