use std::time::Duration;

use serde_json::Value;
use testkit::ca::{Crl, RevocationReason};
use testkit::times::DAY;
use testkit::{Portal, TestCa, TestCert};

use crate::support::{binary, eventually, log_with_code};

/// A partner's CA with a certificate that is listed and one that is not.
struct Partner {
    acme: TestCa,
    good: TestCert,
    bad: TestCert,
}

impl Partner {
    fn new() -> Self {
        let acme = TestCa::new("Acme CA");
        let (good, bad) = (acme.issue("good"), acme.issue("bad"));
        Self { acme, good, bad }
    }

    fn list(&self) -> Crl {
        Crl::new().number(5).revoke(&self.bad, Some(RevocationReason::KeyCompromise))
    }

    /// A portal that the partner's certificates enter, with the first list in its file.
    fn portal(&self, first: &Crl, on_stale: &str) -> Portal {
        let portal = Portal::build(&binary())
            .file("acme.pem", self.acme.pem())
            .file("acme.crl", first.der(&self.acme))
            .prepare();
        for (name, cert) in [("good", &self.good), ("bad", &self.bad)] {
            cert.write(portal.sandbox.dir(), name);
        }
        let attach = ["ca", "add", "acme.pem", "--name", "acme", "--site", "portal.test", "--accept-any"];
        let list = ["--crl", "acme.crl", "--crl-on-stale", on_stale];
        portal.countersign(&[&attach[..], &list].concat()).ok();
        portal
    }
}

fn code(portal: &Portal, name: &str) -> String {
    let answer = portal.curl(Some(name), "/", &[]);
    if answer.status == 200 { "200".into() } else { answer.json()["code"].as_str().unwrap().to_owned() }
}

/// `status --json`: its exit and the lines about the list.
fn attention(portal: &Portal) -> (i32, Vec<String>) {
    let output = portal.countersign(&["status", "--json"]);
    let all = output.json()["attention"].as_array().unwrap().clone();
    let lines = all.iter().filter_map(Value::as_str).filter(|line| line.contains("revocation list"));
    (output.code, lines.map(str::to_owned).collect())
}

/// The moment that the metric shows for acme.
fn metric(portal: &Portal) -> Option<i64> {
    let url = format!("https://localhost:{}/metrics", portal.admin_port);
    let text = std::process::Command::new("curl").args(["-sk", &url]).output().unwrap().stdout;
    let text = String::from_utf8(text).unwrap();
    let start = "countersign_crl_next_update_timestamp_seconds{ca=\"acme\"} ";
    text.lines().find_map(|line| line.strip_prefix(start)?.parse().ok())
}

#[test]
fn a_listed_serial_is_refused_and_past_next_update_everybody_of_that_issuer() {
    let partner = Partner::new();
    let mut portal = partner.portal(&partner.list(), "deny");
    portal.start_gate();
    assert_eq!([code(&portal, "good"), code(&portal, "bad")], ["200", "revoked"]);
    assert_eq!(portal.echo.count(), 1);
    assert_eq!(attention(&portal), (0, vec![]));
    let entry = &log_with_code(&portal, "revoked")[0];
    assert_eq!(entry["code"], "revoked");
    let shown = portal.countersign(&["ca", "show", "acme", "--json"]).ok().json();
    let list = &shown["crl"][0];
    assert_eq!((&list["number"], &list["entries"]), (&"5".into(), &1.into()), "{shown}");

    // A newer list that is too old already: nextUpdate has passed.
    let stale = partner.list().number(6).updates_from_now(-1800, -60);
    portal.sandbox.write("acme.crl", stale.der(&partner.acme));
    eventually("the stale list is in force", || {
        (code(&portal, "good") == "revocation-unknown").then_some(())
    });
    assert_eq!(code(&portal, "bad"), "revoked");
    let (exit, lines) = attention(&portal);
    assert_eq!((exit, lines.len()), (1, 1), "{lines:?}");
    assert!(lines[0].contains("acme.crl is too old since"), "{lines:?}");
    let due = metric(&portal).expect("the metric shows the time");
    assert!((testkit::times::clock().seconds() - 60 - due).abs() < 30, "{due}");
}

#[test]
fn with_allow_a_stale_list_lets_the_unlisted_in_as_an_exception() {
    let partner = Partner::new();
    let stale = partner.list().updates_from_now(-2 * DAY, -60);
    let mut portal = partner.portal(&stale, "allow");
    portal.start_gate();
    assert_eq!([code(&portal, "good"), code(&portal, "bad")], ["200", "revoked"]);
    assert_eq!(attention(&portal).0, 1);
    eventually("the exception is in the log", || {
        let log = portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().stdout;
        log.contains("stale-revocation-list").then_some(())
    });
}

#[test]
fn a_newer_list_is_in_force_within_five_seconds_and_ends_open_connections() {
    let partner = Partner::new();
    let mut portal = partner.portal(&Crl::new().number(4), "deny");
    portal.start_gate();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut download = portal.client_as("bad").connect(portal.port, "portal.test").await.unwrap();
        download.send_request("GET", "/slow-stream?ms=500&chunks=120", &[], b"").await.unwrap();
        assert_eq!(download.read_head().await.unwrap().status, 200);
        portal.sandbox.write("acme.crl", partner.list().pem(&partner.acme));
        assert!(download.ended_within(Duration::from_secs(5)).await.is_some(), "the download ends");
    });
    assert_eq!([code(&portal, "good"), code(&portal, "bad")], ["200", "revoked"]);
}

#[test]
fn a_broken_or_older_list_changes_nothing_and_the_next_good_one_is_taken() {
    let partner = Partner::new();
    let mut portal = partner.portal(&partner.list(), "deny");
    portal.start_gate();
    let patience = Duration::from_secs(60);
    assert_eq!(code(&portal, "bad"), "revoked");

    portal.sandbox.write("acme.crl", Crl::new().number(4).der(&partner.acme));
    portal.gate().wait_stderr("older than the one in force", patience);
    assert_eq!(code(&portal, "bad"), "revoked", "an older list forgets nobody");

    for (what, bytes) in [
        ("it has no tbsCertList", b"0 this is no list".to_vec()),
        ("signed by none", Crl::new().number(9).der(&TestCa::new("Acme CA"))),
    ] {
        portal.sandbox.write("acme.crl", bytes);
        portal.gate().wait_stderr(what, patience);
        assert_eq!([code(&portal, "good"), code(&portal, "bad")], ["200", "revoked"], "{what}");
        let (exit, lines) = attention(&portal);
        assert_eq!((exit, lines.len()), (1, 1), "{lines:?}");
        assert!(lines[0].contains(what) && lines[0].contains("acme.crl"), "{lines:?}");
    }
    // A partner's broken file keeps no change of ours waiting, and fails a reload that was asked for.
    portal.countersign(&["party", "add", "alice", "--site", "portal.test", "--pem", "--out", "."]).ok();
    eventually("alice enters", || (code(&portal, "alice") == "200").then_some(()));
    portal.gate().hang_up();
    portal.gate().wait_stderr("reload failed; the old policy stays in force", patience);
    assert_eq!(code(&portal, "bad"), "revoked");

    portal.sandbox.write("acme.crl", partner.list().number(7).revoke(&partner.good, None).der(&partner.acme));
    eventually("the good list is in force", || (code(&portal, "good") == "revoked").then_some(()));
}

#[test]
fn a_list_that_cannot_be_taken_stops_the_start_with_file_and_reason() {
    let partner = Partner::new();
    let stranger = Crl::new().der(&TestCa::new("Other CA"));
    let ca = |crl: &str| {
        format!("[ca.acme]\nfile = \"acme.pem\"\nsites = [\"portal.test\"]\naccept_any = true\ncrl = {crl}")
    };
    for (crl, reason) in [
        ("{ file = \"acme.crl\" }", "acme.crl: the list is signed by none of the CA's certificates"),
        ("[{ file = \"none.crl\" }]", "none.crl: No such file"),
        ("{ file = \"acme.crl\", url = \"http://crl.acme.example/ca.crl\" }", "either a file or a url"),
        ("{ file = \"acme.crl\", on_stale = \"perhaps\" }", "perhaps"),
    ] {
        let portal = Portal::build(&binary())
            .file("acme.pem", partner.acme.pem())
            .file("acme.crl", &stranger)
            .prepare();
        let text = portal.sandbox.read("countersign.toml");
        portal.sandbox.write("countersign.toml", format!("{text}\n{}\n", ca(crl)));
        let validated = portal.countersign(&["validate"]).exited(3);
        assert!(validated.both().contains(reason), "{}", validated.story());
        let started = portal.countersign(&["run"]);
        assert_eq!(started.code, 3, "{}", started.story());
        assert!(started.both().contains(reason), "{}", started.story());
    }
}
