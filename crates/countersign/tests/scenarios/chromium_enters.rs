use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testkit::{Portal, process};

use crate::support::{binary, browser_policy};

/// What headless Chromium shows of `url`, with its certificate store in `home`.
fn chromium(home: &Path, url: &str, port: u16) -> String {
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

fn nss(home: &Path, tool: &str, args: &[&str]) {
    let database = format!("sql:{}/.pki/nssdb", home.display());
    let output =
        process::run(Command::new(tool).args(["-d", &database]).args(args), b"", Duration::from_secs(30));
    assert_eq!(output.code, 0, "{}", output.story());
}

/// The managed policy that chooses a certificate without asking; removed with the test.
struct Policy(std::path::PathBuf);

impl Policy {
    /// As `site export` writes it.
    fn of(portal: &Portal) -> Self {
        let export = ["site", "export", "portal.test", "--for", "chrome", "--out", "policy"];
        portal.countersign(&export).ok();
        let policy = portal.sandbox.path("policy/countersign-portal.test.json");
        let folder = Path::new("/etc/chromium/policies/managed");
        std::fs::create_dir_all(folder).expect("the policy directory can be made (this test runs as root)");
        let file = folder.join("countersign-test.json");
        std::fs::copy(policy, &file).unwrap();
        Self(file)
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn chromium_enters_with_an_imported_file_and_reads_the_page_without() {
    let _policy_is_ours = browser_policy();
    if !rustix::process::geteuid().is_root() {
        eprintln!("left out: the managed policy of Chromium can only be written by root");
        assert!(std::env::var_os("CI").is_none(), "in CI this test must run");
        return;
    }
    let portal = Portal::build(&binary()).prepare();
    let password = portal.add_p12("alice", "compatible");
    let mut portal = portal;
    portal.start_gate();
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".pki/nssdb")).unwrap();
    nss(home.path(), "certutil", &["-N", "--empty-password"]);
    let ca = portal.sandbox.path("ca.pem");
    nss(home.path(), "certutil", &["-A", "-n", "root", "-t", "C,,", "-i", ca.to_str().unwrap()]);
    let policy = Policy::of(&portal);
    let url = portal.url("/from-chromium");

    let without = chromium(home.path(), &url, portal.port);
    assert!(without.contains("no-certificate"), "{without}");
    assert_eq!(portal.echo.count(), 0);

    let p12 = portal.sandbox.path("alice.p12");
    nss(home.path(), "pk12util", &["-i", p12.to_str().unwrap(), "-W", &password]);
    let with = chromium(home.path(), &url, portal.port);
    assert!(with.contains("/from-chromium"), "{with}");
    // The policy names the issuer: under another name it chooses nothing.
    let wrong =
        std::fs::read_to_string(&policy.0).unwrap().replace("Countersign Client CA", "Other Client CA");
    std::fs::write(&policy.0, wrong).unwrap();
    let other = chromium(home.path(), &url, portal.port);
    assert!(!other.contains("/from-chromium"), "{other}");
    let seen = portal.echo.requests();
    assert!(seen.iter().any(|request| request.header("countersign-party") == Some("alice")), "{seen:?}");
}
