//! The gate's clock jumps, by libfaketime; the machine's own is left alone.

use std::path::PathBuf;

use testkit::{Gate, Portal};

use crate::support::{assert_alive, assert_serves, binary, eventually};

/// Debian's libfaketime.
fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").expect("/usr/lib").flatten().map(|entry| entry.path());
    let mut places = folders.map(|folder| folder.join("faketime/libfaketime.so.1"));
    places.find(|place| place.exists()).expect("libfaketime; Debian's package `faketime`")
}

#[test]
fn a_clock_that_jumps_admits_nobody_outside_their_dates_and_the_gate_serves_on() {
    let mut portal = Portal::build(&binary()).party("alice").party("mallory").prepare();
    portal.countersign(&["party", "revoke", "mallory"]).ok();
    let offset = portal.sandbox.write("offset", "+0\n");
    let mut command = portal.sandbox.command(&["run"]);
    command.env("LD_PRELOAD", library()).env("FAKETIME_TIMESTAMP_FILE", &offset);
    command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    portal.gate = Some(Gate::start(command));
    assert_serves(&portal, "the start");
    for (jump, code) in [("+400d", "expired"), ("-2d", "not-yet-valid"), ("+36500d", "expired")] {
        let seen = portal.echo.count();
        let aside = portal.sandbox.write("offset.new", format!("{jump}\n"));
        std::fs::rename(aside, &offset).unwrap();
        eventually(&format!("alice is refused as {code} at {jump}"), || {
            let answer = portal.curl(Some("alice"), "/", &[]);
            (answer.status == 403 && answer.json()["code"] == code).then_some(())
        });
        assert_ne!(portal.curl(Some("mallory"), "/", &[]).status, 200);
        let between = portal.echo.count() - seen;
        assert!(portal.curl(Some("alice"), "/", &[]).status == 403 && portal.echo.count() == seen + between);

        let aside = portal.sandbox.write("offset.new", "+0\n");
        std::fs::rename(aside, &offset).unwrap();
        eventually("alice enters again", || {
            (portal.curl(Some("alice"), "/", &[]).status == 200).then_some(())
        });
        assert_serves(&portal, jump);
        assert_alive(&mut portal);
    }
    portal.countersign(&["party", "revoke", "alice"]).ok();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).json()["code"], "revoked");
}
