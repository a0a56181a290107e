use std::os::unix::fs::PermissionsExt;

use testkit::Portal;

use crate::support::binary;

#[test]
fn two_parties_enter_a_portal_made_from_nothing() {
    let portal = Portal::build(&binary()).party("alice").party("bob").start();
    for name in ["alice", "bob"] {
        let answer = portal.curl(Some(name), "/hello?x=1", &[]);
        assert_eq!(answer.status, 200, "{}", answer.stderr);
        assert_eq!(answer.json()["target"], "/hello?x=1");
    }
    let last = portal.echo.last();
    assert_eq!(last.header("countersign-party"), Some("bob"));
    assert!(last.header("client-cert").is_some_and(|v| v.starts_with(':') && v.ends_with(':')));
    assert_eq!(portal.echo.count(), 2);
}

#[test]
fn the_file_is_small_and_no_key_is_readable_by_others() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    let config = portal.sandbox.read("countersign.toml");
    let lines = config.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    assert!(lines.count() <= 10, "{config}");
    let mut keys = 0;
    let mut folders = vec![portal.sandbox.dir().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "key" || e == "p12" || e == "passphrase") {
                keys += 1;
                let mode = path.metadata().unwrap().permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{}", path.display());
            }
        }
    }
    assert!(keys >= 6, "{keys} key files found");
}
