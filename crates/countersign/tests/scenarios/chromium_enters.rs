use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testkit::{Home, Policy, Portal, process};

use crate::support::binary;

/// What headless Chromium shows of `url`, with its certificate store in `home`.
pub fn chromium(home: &Path, url: &str, port: u16) -> String {
    let profile = tempfile::tempdir().unwrap();
    let mut command = Command::new("chromium");
    command.env("HOME", home).args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--dump-dom",
        "--timeout=8000",
    ]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    command.arg(format!("--host-resolver-rules=MAP portal.test 127.0.0.1:{port}"));
    command.arg(url);
    process::run(&mut command, b"", Duration::from_secs(60)).stdout
}

/// The managed policy as `site export` writes it.
pub fn exported(portal: &Portal) -> String {
    let export = ["site", "export", "portal.test", "--for", "chrome", "--out", "policy"];
    portal.countersign(&export).ok();
    portal.sandbox.read("policy/countersign-portal.test.json")
}

#[test]
fn chromium_enters_with_an_imported_file_and_reads_the_page_without() {
    if !Policy::may_be_set() {
        return;
    }
    let portal = Portal::build(&binary()).prepare();
    let password = portal.add_p12("alice", "compatible");
    let mut portal = portal;
    portal.start_gate();
    let home = Home::trusting(&portal.sandbox.path("ca.pem"));
    let text = exported(&portal);
    let policy = Policy::saying(&text);
    let url = portal.url("/from-chromium");

    let without = chromium(home.path(), &url, portal.port);
    assert!(without.contains("no-certificate"), "{without}");
    assert_eq!(portal.echo.count(), 0);

    home.import(&portal.sandbox.path("alice.p12"), &password);
    let with = chromium(home.path(), &url, portal.port);
    assert!(with.contains("/from-chromium"), "{with}");
    // The policy names the issuer: under another name it chooses nothing.
    policy.say(&text.replace("Countersign Client CA", "Other Client CA"));
    let other = chromium(home.path(), &url, portal.port);
    assert!(!other.contains("/from-chromium"), "{other}");
    let seen = portal.echo.requests();
    assert!(seen.iter().any(|request| request.header("countersign-party") == Some("alice")), "{seen:?}");
}
