//! The registry locked, gone, read-only or without room: admission goes on, nothing changes unrecorded.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use testkit::{Output, Portal, PortalBuilder, free_port};

use crate::support::{Held, assert_serves, binary, eventually};

/// A gate with an address where alice may renew.
fn build() -> PortalBuilder {
    let port = free_port();
    let enrol = format!("[enrol]\nlisten = \"127.0.0.1:{port}\"\nurl = \"https://localhost:{port}\"\n");
    Portal::build(&binary()).extra_toml(&enrol).party("alice").party("mallory")
}

/// alice is admitted, mallory revoked.
fn portal() -> Portal {
    let portal = build().start();
    portal.countersign(&["party", "revoke", "mallory"]).ok();
    portal
}

/// What the authority's process answers to alice's machine.
fn renew(portal: &Portal) -> Output {
    let config = portal.sandbox.read("countersign.toml");
    let url = config.lines().find_map(|line| line.strip_prefix("url = \"")).unwrap().trim_end_matches('"');
    let pair = ["--cert", "alice.pem", "--key", "alice.key", "--cacert", "ca.pem"];
    portal.countersign(&[&["renew", "--force", "--url", url][..], &pair].concat())
}

/// Nothing can be changed, and nothing is half changed; who was admitted is served, and the list that stood there stands.
#[track_caller]
fn assert_holds(portal: &Portal, fault: &str) {
    assert_serves(portal, fault);
    let list = std::fs::read(portal.sandbox.path("state/crl/own.crl")).unwrap();
    assert!(portal.countersign(&["ca", "crl", "--out", "state/crl/other.crl"]).code != 0, "{fault}");
    let after = std::fs::read(portal.sandbox.path("state/crl/own.crl")).unwrap();
    assert!(list == after, "the published list, {fault}");
    let args =
        ["crl", "-inform", "DER", "-in", "state/crl/own.crl", "-CAfile", "state/ca/client.pem", "-noout"];
    assert!(testkit::openssl(portal.sandbox.dir(), &args, b"").ok().both().contains("verify OK"), "{fault}");
    let added = portal
        .countersign(&["party", "add", "bob", "--site", "portal.test", "--pem", "--out", "."])
        .refused();
    assert!(!added.stderr.contains("panicked"), "{}", added.story());
    assert!(!portal.sandbox.path("bob.pem").exists(), "no certificate without a record: {fault}");
    portal.countersign(&["party", "revoke", "alice"]).refused();
    let pair = ["alice.pem", "alice.key"].map(|file| portal.sandbox.read(file));
    let renewed = renew(portal).exited(4);
    assert!(!renewed.stderr.contains("panicked"), "{}", renewed.story());
    assert_eq!(["alice.pem", "alice.key"].map(|file| portal.sandbox.read(file)), pair, "{fault}");
    assert_serves(portal, fault);
}

/// Everything works again, revocation first of all.
#[track_caller]
fn assert_recovers(portal: &Portal, fault: &str) {
    assert_serves(portal, fault);
    let added = eventually("the registry takes changes", || {
        let added =
            portal.countersign(&["party", "add", "bob", "--site", "portal.test", "--pem", "--out", "."]);
        (added.code == 0).then_some(added)
    });
    drop(added);
    eventually("bob enters", || (portal.curl(Some("bob"), "/", &[]).status == 200).then_some(()));
    portal.countersign(&["party", "revoke", "bob"]).ok();
    assert_eq!(portal.curl(Some("bob"), "/", &[]).json()["code"], "revoked", "after {fault}");
    eventually("a renewal", || (renew(portal).code == 0).then_some(()));
    assert_serves(portal, fault);
    portal.countersign(&["log", "verify"]).ok();
}

#[test]
fn a_locked_registry_stops_changes_and_nobody_who_is_admitted() {
    let portal = portal();
    let mut sqlite = Command::new("sqlite3");
    sqlite.arg(portal.sandbox.path("state/registry.db")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut lock = Held(sqlite.spawn().expect("sqlite3"));
    lock.0.stdin.as_mut().unwrap().write_all(b".timeout 5000\nbegin immediate;\nselect 'held';\n").unwrap();
    let mut said = [0; 5];
    std::io::Read::read_exact(lock.0.stdout.as_mut().unwrap(), &mut said).unwrap();
    assert_holds(&portal, "a locked registry");
    drop(lock);
    assert_recovers(&portal, "a locked registry");
}

#[test]
fn a_registry_deleted_under_the_gate_stops_changes_and_nobody_who_is_admitted() {
    let portal = portal();
    let (state, away) = (portal.sandbox.path("state"), portal.sandbox.path("away"));
    std::fs::create_dir(&away).unwrap();
    let files = ["registry.db", "registry.db-wal", "registry.db-shm"];
    for file in files {
        let _ = std::fs::rename(state.join(file), away.join(file));
    }
    assert_holds(&portal, "a deleted registry");
    assert!(!state.join("registry.db").exists(), "no empty registry takes its place");
    for file in files {
        let _ = std::fs::rename(away.join(file), state.join(file));
    }
    assert_recovers(&portal, "a deleted registry");
}

/// A mount of the test's own, undone with it.
struct Mount(PathBuf);

impl Mount {
    /// `mount ARGS PLACE`; `None`, said aloud past the capture of output, where this user may not mount.
    fn new(args: &[&str], place: &Path) -> Option<Self> {
        let done = Command::new("mount").args(args).arg(place).output().expect("mount");
        if done.status.success() {
            return Some(Self(place.to_owned()));
        }
        let why = String::from_utf8_lossy(&done.stderr);
        assert!(!rustix::process::geteuid().is_root(), "root cannot mount here: {why}");
        let _ = writeln!(
            std::io::stderr(),
            "bad_days: not tried with a file system, which only root mounts: {why}"
        );
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_read_only_registry_stops_changes_and_nobody_who_is_admitted() {
    let portal = portal();
    let state = portal.sandbox.path("state");
    let Some(mount) = Mount::new(&["--bind", state.to_str().unwrap()], &state) else { return };
    let read_only = Command::new("mount").args(["-o", "remount,ro,bind"]).arg(&state).status().unwrap();
    assert!(read_only.success());
    assert_holds(&portal, "a read-only registry");
    drop(mount);
    assert_recovers(&portal, "a read-only registry");
}

#[test]
fn a_full_disk_stops_changes_and_nobody_who_is_admitted() {
    let mut portal = build().prepare();
    let (state, kept) = (portal.sandbox.path("state"), portal.sandbox.path("kept"));
    std::fs::rename(&state, &kept).unwrap();
    std::fs::create_dir(&state).unwrap();
    let mount = Mount::new(&["-t", "tmpfs", "-o", "size=8m,mode=700", "none"], &state);
    let Some(mount) = mount else { return };
    let from = kept.join(".");
    assert!(Command::new("cp").arg("-a").args([&from, &state]).status().unwrap().success());
    portal.start_gate();
    portal.countersign(&["party", "revoke", "mallory"]).ok();
    assert_serves(&portal, "the start");

    let filler = state.join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    while file.write(&[0; 4096]).is_ok() {}
    assert_holds(&portal, "a full disk");
    drop(file);
    std::fs::remove_file(&filler).unwrap();
    assert_recovers(&portal, "a full disk");
    portal.stop_gate();
    portal.start_gate();
    assert_serves(&portal, "a restart");
    portal.stop_gate();
    drop(mount);
}

#[test]
fn a_command_that_may_write_no_file_changes_nothing() {
    let portal = portal();
    let before = portal.countersign(&["party", "list", "--json"]).ok().stdout;
    let mut limited = Command::new("sh");
    limited.current_dir(portal.sandbox.dir()).args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""]);
    limited.arg(env!("CARGO_BIN_EXE_countersign")).args(["party", "add", "bob", "--site", "portal.test"]);
    let done = limited.output().unwrap();
    assert!(!done.status.success(), "{done:?}");
    assert_eq!(portal.countersign(&["party", "list", "--json"]).ok().stdout, before);
    assert_recovers(&portal, "no room");
}

#[test]
fn nothing_is_issued_whose_files_cannot_be_written() {
    let portal = build().prepare();
    portal.countersign(&["party", "add", "carol", "--pem", "--out", "full"]).ok();
    let records = || {
        let shown = |name| portal.countersign(&["party", "show", name, "--json"]).ok().json();
        let count = |name| shown(name)["certificates"].as_array().unwrap().len();
        (count("alice"), count("carol"), portal.countersign(&["party", "list", "--json"]).ok().stdout)
    };
    let before = records();
    let (full, bound) = (portal.sandbox.path("full"), portal.sandbox.path("bound"));
    std::fs::create_dir(&bound).unwrap();
    let kept = std::fs::read(full.join("carol.pem")).unwrap();
    let tmpfs = ["-t", "tmpfs", "-o", "size=16k,mode=700", "none"];
    let Some(_mounts) =
        Mount::new(&tmpfs, &full).zip(Mount::new(&["--bind", bound.to_str().unwrap()], &bound))
    else {
        return;
    };
    let read_only = Command::new("mount").args(["-o", "remount,ro,bind"]).arg(&bound).status().unwrap();
    assert!(read_only.success());
    std::fs::write(full.join("carol.pem"), &kept).unwrap();
    for (out, why) in [("full", "No space left"), ("bound", "Read-only")] {
        for args in [
            &["party", "add", "alice", "--pem"][..],
            &["party", "add", "new"],
            &["party", "renew", "carol"],
            &["operator", "add", "olga"],
            &["ca", "issue", "--san", "dns:localhost"],
        ] {
            let refused = portal.countersign(&[args, &["--out", out]].concat()).refused();
            assert!(refused.stderr.contains(why), "{out} {args:?}: {}", refused.story());
        }
    }
    assert_eq!(records(), before);
    assert_eq!(std::fs::read(full.join("carol.pem")).unwrap(), kept, "nothing was moved aside");
    assert_eq!(std::fs::read_dir(&full).unwrap().count(), 1);
}

#[test]
fn a_copy_that_cannot_be_put_back_leaves_everything_as_it_was() {
    let portal = build().prepare();
    portal.countersign(&["state", "backup", "--out", "copy"]).ok();
    portal.countersign(&["party", "suspend", "mallory"]).ok();
    let (state, before) =
        (portal.sandbox.path("state"), portal.countersign(&["party", "list", "--json"]).ok().stdout);
    // A place that cannot be moved.
    let keys = state.join("ca");
    let Some(mount) = Mount::new(&["--bind", keys.to_str().unwrap()], &keys) else { return };
    let refused = portal.countersign(&["state", "restore", "copy"]).exited(1);
    assert!(refused.stderr.contains("nothing was changed"), "{}", refused.story());
    assert_eq!(portal.countersign(&["party", "list", "--json"]).ok().stdout, before);
    let left = std::fs::read_dir(&state).unwrap().map(|one| one.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> =
        left.filter(|name| name.contains("restoring") || name.contains("replaced")).collect();
    assert!(left.is_empty(), "{left:?}");
    drop(mount);
    portal.countersign(&["state", "restore", "copy"]).ok();
}
