//! `state backup` and `state restore`: a copy is whole, comes back whole, and revives no revocation.

use std::path::Path;

use testkit::{Portal, tools};

use crate::support::{binary, eventually};

fn status_of(portal: &Portal, name: &str) -> u16 {
    let file = |extension: &str| {
        std::fs::read_to_string(portal.sandbox.dir().join(format!("{name}.{extension}"))).unwrap()
    };
    let client = portal.client().showing_pem(&file("pem"), &file("key"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(client.knock(portal.port, "portal.test", "/")).unwrap().status
}

/// All files below, by their path from there.
fn files(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => all.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()),
            }
        }
    }
    all.sort();
    all
}

#[test]
fn a_copy_is_taken_while_the_gate_runs_and_revives_no_revocation() {
    let mut portal = Portal::build(&binary()).party("alice").party("bob").party("carol").start();
    let state = portal.sandbox.dir().join("state");
    portal.countersign(&["party", "revoke", "carol"]).ok();
    let made = portal.countersign(&["state", "backup", "--out", "copy", "--json"]).ok().json();
    assert_eq!((&made["directory"], &made["passphrase"]), (&"copy".into(), &false.into()));

    // After the copy: one certificate is revoked and stands on the list, one party is suspended.
    portal.countersign(&["party", "revoke", "bob", "--reason", "key-compromise"]).ok();
    portal.countersign(&["party", "suspend", "alice"]).ok();
    portal.stop_gate();
    portal.countersign(&["ca", "crl", "--out", "latest.crl"]).ok();

    let restored = portal.countersign(&["state", "restore", "copy", "--json"]).ok().json();
    assert!(restored["to_be_confirmed"].as_str().unwrap().contains("restored from a copy"), "{restored}");
    assert!(restored["audit"].is_string(), "entries that were written since are missing: {restored}");
    let replaced = portal.sandbox.dir().join(restored["replaced"].as_str().unwrap());
    assert!(replaced.starts_with(&state) && replaced.join("registry.db").is_file(), "{restored}");
    assert!(replaced.join("ca/root.key").is_file(), "{restored}");

    // The gate keeps what it knew: both stay refused until an operator has said so.
    portal.start_gate();
    assert_eq!(
        [status_of(&portal, "alice"), status_of(&portal, "bob"), status_of(&portal, "carol")],
        [403; 3]
    );
    portal.countersign(&["status"]).exited(1);
    let number = portal.countersign(&["ca", "crl", "--out", "too-early.crl"]).exited(1);
    assert!(number.stderr.contains("reload --accept-restored"), "{}", number.story());

    portal.countersign(&["reload", "--accept-restored"]).ok();
    eventually("the suspension that the copy does not have is forgotten, as was said", || {
        (status_of(&portal, "alice") == 200).then_some(())
    });
    assert_eq!(status_of(&portal, "carol"), 403, "what was revoked before the copy is in it");
    portal.countersign(&["ca", "crl", "--out", "after.crl"]).ok();
    let number = |file: &str| {
        let args = ["crl", "-inform", "DER", "-in", file, "-noout", "-crlnumber"];
        let text = tools::openssl(portal.sandbox.dir(), &args, b"").ok().stdout;
        u128::from_str_radix(text.trim().trim_start_matches("crlNumber=0x"), 16).unwrap()
    };
    assert!(number("after.crl") > number("latest.crl"));
}

#[test]
fn what_the_published_list_says_is_revoked_again() {
    let mut portal = Portal::build(&binary()).party("alice").party("bob").start();
    portal.countersign(&["operator", "add", "carla", "--out", "."]).ok();
    portal.countersign(&["state", "backup", "--out", "copy"]).ok();
    portal.countersign(&["party", "revoke", "bob", "--reason", "key-compromise"]).ok();
    portal.countersign(&["operator", "revoke", "carla"]).ok();
    portal.stop_gate();
    // As if the last ones were long ago: there are lists once a minute at most.
    std::fs::remove_file(portal.sandbox.dir().join("state/crl/own.json")).unwrap();
    portal.countersign(&["upkeep"]).ok();
    let restored = portal.countersign(&["state", "restore", "copy", "--json"]).ok().json();
    assert_eq!(restored["revoked_again"], 2, "bob and the operator carla: {restored}");
    portal.countersign(&["reload", "--accept-restored"]).ok();
    portal.start_gate();
    assert_eq!([status_of(&portal, "alice"), status_of(&portal, "bob")], [200, 403]);
    let shown = portal.countersign(&["party", "show", "bob"]).ok();
    assert!(shown.stdout.contains("revoked (key-compromise)"), "{}", shown.story());
}

#[test]
fn on_an_empty_machine_everything_comes_back_but_the_passphrase() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    portal.countersign(&["state", "backup", "--out", "copy"]).ok();
    let copied = files(&portal.sandbox.dir().join("copy"));
    for name in ["registry.db", "countersign.toml", "ca/client.key", "audit.key", "manifest.json"] {
        assert!(copied.iter().any(|one| one == name), "{name}: {copied:?}");
    }
    for secret in ["ca.passphrase", "operator.key", "snapshot.key", "server/portal.test.key"] {
        assert!(!copied.iter().any(|one| one == secret), "{secret}: {copied:?}");
    }
    for name in &copied {
        let metadata = std::fs::metadata(portal.sandbox.dir().join("copy").join(name)).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        assert_eq!(mode & 0o077, 0, "{name}");
    }
    let elsewhere = ["--config", "new/countersign.toml"];
    std::fs::create_dir(portal.sandbox.dir().join("new")).unwrap();
    let all = |args: &[&str]| portal.countersign(&[&elsewhere[..], args].concat());
    let restored = all(&["state", "restore", "copy", "--json"]).ok().json();
    assert_eq!(restored["replaced"], serde_json::Value::Null);
    assert_eq!(restored["audit"], serde_json::Value::Null, "{restored}");
    assert!(all(&["party", "list"]).ok().stdout.contains("alice"));
    all(&["reload", "--accept-restored"]).ok();
    all(&["log", "verify"]).ok();
    let locked = all(&["party", "add", "dave"]).refused();
    assert!(locked.stderr.contains("ca.passphrase"), "{}", locked.story());

    portal.countersign(&["state", "backup", "--out", "with", "--with-passphrase"]).ok();
    std::fs::create_dir(portal.sandbox.dir().join("newer")).unwrap();
    let elsewhere = ["--config", "newer/countersign.toml"];
    let all = |args: &[&str]| portal.countersign(&[&elsewhere[..], args].concat());
    all(&["state", "restore", "with"]).ok();
    all(&["party", "add", "dave", "--out", "newer"]).ok();
}

#[test]
fn a_copy_that_was_changed_or_is_none_changes_nothing() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    let dir = portal.sandbox.dir();
    let state = || {
        let mut all = files(&dir.join("state"));
        all.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm") && name != "run.lock");
        all
    };
    let before = state();
    portal.countersign(&["state", "backup", "--out", "copy"]).ok();
    portal.countersign(&["state", "backup", "--out", "copy"]).exited(1);
    let manifest = dir.join("copy/manifest.json");
    let right = std::fs::read_to_string(&manifest).unwrap();

    let mut registry = std::fs::read(dir.join("copy/registry.db")).unwrap();
    let whole = registry.clone();
    *registry.last_mut().unwrap() ^= 1;
    std::fs::write(dir.join("copy/registry.db"), &registry).unwrap();
    for dry in [&["--dry-run"][..], &[]] {
        let refused = portal.countersign(&[&["state", "restore", "copy"][..], dry].concat()).exited(1);
        assert!(refused.stderr.contains("is not as it was copied"), "{}", refused.story());
        assert_eq!(state(), before);
    }
    std::fs::write(dir.join("copy/registry.db"), whole).unwrap();
    portal.countersign(&["state", "restore", "copy", "--dry-run"]).ok();
    assert_eq!(state(), before);

    for (from, to) in [
        ("\"audit.key\"", "\"../audit.key\""),
        ("\"audit.key\"", "\"/tmp/audit.key\""),
        ("\"audit.key\"", "\"epoch\""),
        ("\"registry.db\"", "\"audit.key\""),
        ("\"format\": 1", "\"format\": 2"),
        ("{", "["),
    ] {
        std::fs::write(&manifest, right.replacen(from, to, 1)).unwrap();
        let refused = portal.countersign(&["state", "restore", "copy"]).exited(1);
        assert!(refused.stderr.contains("manifest.json"), "{to}: {}", refused.story());
        assert_eq!(state(), before, "{to}");
    }
    portal.countersign(&["state", "restore", "nothing"]).exited(5);
}

#[test]
fn a_copy_can_be_put_back_again_at_once() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    portal.countersign(&["state", "backup", "--out", "copy"]).ok();
    let mut places = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let restored = portal.countersign(&["state", "restore", "copy", "--json"]).ok().json();
        places.insert(restored["replaced"].as_str().unwrap().to_owned());
        portal.countersign(&["party", "show", "alice"]).ok();
    }
    assert_eq!(places.len(), 3, "what stood there before has a place of its own each time: {places:?}");
}

#[test]
fn nothing_is_put_back_under_a_running_gate() {
    let portal = Portal::build(&binary()).party("alice").start();
    portal.countersign(&["state", "backup", "--out", "copy"]).ok();
    let refused = portal.countersign(&["state", "restore", "copy"]).exited(1);
    assert!(refused.stderr.contains("stop it first"), "{}", refused.story());
    assert_eq!(status_of(&portal, "alice"), 200);
}
