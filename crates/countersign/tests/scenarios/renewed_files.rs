use std::os::unix::fs::symlink;
use std::time::Duration;

use testkit::ca::{Leaf, TestCert};
use testkit::times::DAY;
use testkit::{Client, Portal, TestCa, tools};

use crate::support::{binary, eventually};

const PATIENCE: Duration = Duration::from_secs(20);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn server(ca: &TestCa, days: i64) -> TestCert {
    Leaf::server("portal.test").valid_from_now(-DAY, days * DAY).issued_by(ca)
}

/// A portal whose certificate stands in files, with alice as party.
fn portal(shown: &TestCert, cert: &str, key: &str) -> Portal {
    let line = format!("certificate = {{ cert = \"{cert}\", key = \"{key}\" }}");
    let portal = Portal::build(&binary()).site_line(&line).party("alice").prepare();
    shown.write(portal.sandbox.dir(), "site");
    portal
}

fn alice(portal: &Portal, web: &TestCa) -> Client {
    let read = |name: &str| portal.sandbox.read(name);
    Client::trusting(&web.root_pem()).showing_pem(&read("alice.pem"), &read("alice.key"))
}

/// The certificate that a new handshake shows.
fn shown(portal: &Portal, web: &TestCa) -> Vec<u8> {
    let connection = block_on(alice(portal, web).connect(portal.port, "portal.test"));
    connection.expect("the site is there").server_chain()[0].clone()
}

fn is_shown(portal: &Portal, web: &TestCa, cert: &TestCert) {
    eventually("the renewed certificate is shown", || (shown(portal, web) == cert.der).then_some(()));
}

/// Waits until a reason was told so many times.
fn told(portal: &Portal, what: &str, times: usize) {
    eventually(what, || (portal.gate().stderr().matches(what).count() >= times).then_some(()));
}

fn end_in_metrics(portal: &Portal) -> i64 {
    let url = format!("https://localhost:{}/metrics", portal.admin_port);
    let text = std::process::Command::new("curl").args(["-sk", &url]).output().unwrap().stdout;
    let text = String::from_utf8(text).unwrap();
    let start = "countersign_server_certificate_not_after_timestamp_seconds{site=\"portal.test\"} ";
    text.lines().find_map(|line| line.strip_prefix(start)?.parse().ok()).expect("the metric is there")
}

fn in_the_log(portal: &Portal, words: &str) {
    eventually(&format!("`{words}` in the log"), || {
        let all = portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().json();
        let entries = all.as_array()?.clone();
        let found = entries.iter().filter(|one| one["verdict"] == "changed");
        found.filter_map(|one| one["detail"].as_str()).any(|detail| detail.contains(words)).then_some(())
    });
}

#[test]
fn a_renewed_pair_is_shown_when_both_files_are_there_and_open_connections_stay() {
    let web = TestCa::new("Web CA");
    let [first, second, third, fourth] = [30, 60, 90, 120].map(|days| server(&web, days));
    let mut portal = portal(&first, "site.pem", "site.key");
    portal.start_gate();
    assert_eq!(end_in_metrics(&portal), first.facts().not_after.seconds());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = alice(&portal, &web);
    let mut open = runtime.block_on(client.connect(portal.port, "portal.test")).unwrap();
    assert_eq!(runtime.block_on(open.get("/", &[])).unwrap().status, 200);

    // The certificate comes before its key.
    portal.sandbox.write("site.pem", &second.chain_pem);
    told(&portal, "it does not fit", 1);
    assert_eq!(shown(&portal, &web), first.der);
    let status = portal.countersign(&["status"]).exited(1);
    assert!(status.stdout.contains("it does not fit"), "{}", status.story());
    portal.sandbox.write("site.key", &second.key_pem);
    is_shown(&portal, &web, &second);
    portal.countersign(&["status"]).exited(0);
    in_the_log(&portal, "certificate of portal.test read from ");
    assert_eq!(end_in_metrics(&portal), second.facts().not_after.seconds());

    // The key comes before its certificate.
    portal.sandbox.write("site.key", &third.key_pem);
    told(&portal, "it does not fit", 2);
    assert_eq!(shown(&portal, &web), second.der);
    portal.sandbox.write("site.pem", &third.chain_pem);
    is_shown(&portal, &web, &third);

    // What is no certificate, and what is gone, take nothing away.
    portal.sandbox.write("site.pem", "no certificate");
    told(&portal, "no CERTIFICATE block", 1);
    assert_eq!(shown(&portal, &web), third.der);
    std::fs::remove_file(portal.sandbox.path("site.key")).unwrap();
    std::fs::remove_file(portal.sandbox.path("site.pem")).unwrap();
    told(&portal, "site.pem: No such file", 1);
    assert_eq!(shown(&portal, &web), third.der);

    // Written beside, and renamed over it.
    fourth.write(portal.sandbox.dir(), "new");
    for name in ["key", "pem"] {
        let at = |stem: &str| portal.sandbox.path(&format!("{stem}.{name}"));
        std::fs::rename(at("new"), at("site")).unwrap();
    }
    is_shown(&portal, &web, &fourth);
    assert_eq!(runtime.block_on(open.get("/", &[])).unwrap().status, 200, "an open connection stays");
}

#[test]
fn a_swapped_link_in_the_path_is_a_renewal() {
    let web = TestCa::new("Web CA");
    let [first, second] = [30, 60].map(|days| server(&web, days));
    let mut portal = portal(&first, "live/site.pem", "live/site.key");
    let at = |name: &str| portal.sandbox.path(name);
    for (folder, cert) in [("1", &first), ("2", &second)] {
        std::fs::create_dir(at(folder)).unwrap();
        cert.write(&at(folder), "site");
    }
    symlink("1", at("live")).unwrap();
    symlink("2", at("next")).unwrap();
    let (next, live) = (at("next"), at("live"));
    portal.start_gate();
    assert_eq!(shown(&portal, &web), first.der);
    std::fs::rename(next, live).unwrap();
    is_shown(&portal, &web, &second);
}

#[test]
fn half_a_renewal_holds_up_no_change_and_fails_a_reload_that_was_asked_for() {
    let web = TestCa::new("Web CA");
    let [first, second] = [30, 60].map(|days| server(&web, days));
    let mut portal = portal(&first, "site.pem", "site.key");
    portal.start_gate();
    portal.sandbox.write("site.pem", &second.chain_pem);
    told(&portal, "it does not fit", 1);
    portal.countersign(&["site", "add", "b.test", "--upstream", &portal.echo.url()]).ok();
    eventually("the new site is served", || {
        let answer = tools::curl_at(portal.sandbox.dir(), "b.test", portal.port, Some("alice"), "/", &[]);
        (answer.status == 403).then_some(())
    });
    assert_eq!(shown(&portal, &web), first.der);
    portal.gate().hang_up();
    portal.gate().wait_stderr("reload failed; the old policy stays in force", PATIENCE);
    assert_eq!(shown(&portal, &web), first.der);
    portal.sandbox.write("site.key", &second.key_pem);
    is_shown(&portal, &web, &second);
}

#[test]
fn a_ca_that_leaves_its_file_ends_its_holders_connections_and_no_others() {
    let cas = ["Old CA", "Acme CA", "New CA"].map(TestCa::new);
    let holders = ["old", "acme", "new"];
    let pem = |numbers: &[usize]| numbers.iter().map(|at| cas[*at].pem()).collect::<String>();
    let ca = "[ca.acme]\nfile = \"issuers.pem\"\nsites = [\"portal.test\"]\naccept_any = true\n";
    let mut portal = Portal::build(&binary())
        .file("issuers.pem", pem(&[0, 1]))
        .site_line("allow = [\"ca:acme\"]")
        .extra_toml(&format!("\n{ca}"))
        .prepare();
    for (ca, name) in cas.iter().zip(holders) {
        ca.issue(name).write(portal.sandbox.dir(), name);
    }
    portal.start_gate();
    let statuses = |portal: &Portal| holders.map(|name| portal.curl(Some(name), "/", &[]).status);
    assert_eq!(statuses(&portal), [200, 200, 403]);
    // A change of the configuration waits for its reload, whatever becomes of the files that it names.
    let text = portal.sandbox.read("countersign.toml");
    portal.sandbox.write("countersign.toml", text.replace("allow = [\"ca:acme\"]", "deny = [\"ca:acme\"]"));

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut stays = portal.client_as("acme").connect(portal.port, "portal.test").await.unwrap();
        assert_eq!(stays.get("/", &[]).await.unwrap().status, 200);
        let mut download = portal.client_as("old").connect(portal.port, "portal.test").await.unwrap();
        download.send_request("GET", "/slow-stream?ms=500&chunks=120", &[], b"").await.unwrap();
        assert_eq!(download.read_head().await.unwrap().status, 200);
        portal.sandbox.write("issuers.pem", pem(&[1, 2]));
        assert!(download.ended_within(PATIENCE).await.is_some(), "the download ends");
        assert_eq!(stays.get("/", &[]).await.unwrap().status, 200);
    });
    assert_eq!(statuses(&portal), [403, 200, 200]);
    assert_eq!(portal.curl(Some("old"), "/", &[]).json()["code"], "unknown-issuer");
    in_the_log(&portal, "added: CN=New CA");
    in_the_log(&portal, "removed: CN=Old CA");

    portal.sandbox.write("issuers.pem", "no certificate");
    portal.gate().wait_stderr("the CA's file is not taken", PATIENCE);
    assert_eq!(statuses(&portal), [403, 200, 200], "what cannot be read changes nothing");
    portal.sandbox.write("issuers.pem", pem(&[0]));
    eventually("the next good file is taken", || (statuses(&portal) == [200, 403, 403]).then_some(()));
}
