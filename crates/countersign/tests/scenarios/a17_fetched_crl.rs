use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use testkit::ca::{Crl, RevocationReason};
use testkit::{Portal, TestCa, TestCert};

use crate::support::{binary, eventually};

/// A partner's HTTP server on loopback: gives out the answer of the moment, and counts who asked.
struct Server {
    port: u16,
    answer: Arc<Mutex<Vec<u8>>>,
    asked: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            answer: Arc::default(),
            asked: Arc::default(),
            over: Arc::default(),
        };
        let (answer, asked, over) = (server.answer.clone(), server.asked.clone(), server.over.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let mut stream = stream.unwrap();
                asked.fetch_add(1, Ordering::SeqCst);
                let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(&answer.lock().unwrap());
            }
        });
        server
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/acme.crl", self.port)
    }

    fn gives(&self, list: &[u8]) {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", list.len());
        *self.answer.lock().unwrap() = [head.as_bytes(), list].concat();
    }

    fn answers(&self, text: &str) {
        *self.answer.lock().unwrap() = text.as_bytes().to_vec();
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

struct World {
    acme: TestCa,
    bad: TestCert,
    server: Server,
    portal: Portal,
}

impl World {
    /// A portal that may fetch from loopback, or not.
    fn new(listed: bool) -> Self {
        let acme = TestCa::new("Acme CA");
        let (good, bad) = (acme.issue("good"), acme.issue("bad"));
        let build = Portal::build(&binary()).file("acme.pem", acme.pem());
        let build = if listed { build.server_line("fetch_private = [\"127.0.0.1\"]") } else { build };
        let portal = build.prepare();
        good.write(portal.sandbox.dir(), "good");
        bad.write(portal.sandbox.dir(), "bad");
        Self { acme, bad, server: Server::start(), portal }
    }

    fn list(&self, number: u64) -> Crl {
        Crl::new().number(number).revoke(&self.bad, Some(RevocationReason::KeyCompromise))
    }

    fn gives(&self, list: &Crl) {
        self.server.gives(&list.der(&self.acme));
    }

    fn add(&self, on_stale: &str) -> testkit::Output {
        self.add_from(&self.server.url(), &["--crl-on-stale", on_stale])
    }

    fn add_from(&self, url: &str, more: &[&str]) -> testkit::Output {
        let attach = ["ca", "add", "acme.pem", "--name", "acme", "--site", "portal.test", "--accept-any"];
        self.portal.countersign(&[&attach[..], &["--crl-url", url], more].concat())
    }

    /// The same CA in the configuration file, where the site has to allow it, as `ca add` does by itself.
    fn write_down(&self, url: &str) {
        let text = self.portal.sandbox.read("countersign.toml");
        let ca = format!(
            "[ca.acme]\nfile = \"acme.pem\"\nsites = [\"portal.test\"]\naccept_any = true\ncrl = {{ url = \"{url}\" }}\n"
        );
        let site = "[site.\"portal.test\"]\n";
        let text = text.replacen(site, &format!("{ca}\n{site}allow = [\"ca:acme\"]\n"), 1);
        assert!(text.contains("[ca.acme]"), "{text}");
        self.portal.sandbox.write("countersign.toml", text);
    }

    fn codes(&self) -> [String; 2] {
        ["good", "bad"].map(|name| {
            let answer = self.portal.curl(Some(name), "/", &[]);
            if answer.status == 200 {
                "200".into()
            } else {
                answer.json()["code"].as_str().unwrap().to_owned()
            }
        })
    }

    /// Waits until the gate has taken so many lists since its start, without asking it again and again: who is refused
    /// as often as that is a stranger above the number a minute, and gets an alert for a page.
    fn sees_lists(&self, count: usize) {
        eventually("the list is in force", || {
            let told = self.portal.gate().stderr().matches("a file changed").count();
            (told >= count).then_some(())
        });
    }

    fn attention(&self) -> String {
        let output = self.portal.countersign(&["status", "--json"]);
        let all = output.json()["attention"].as_array().unwrap().clone();
        let lines: Vec<_> = all.iter().filter_map(|one| one.as_str()).collect();
        lines.join("\n")
    }
}

#[test]
fn a_list_is_fetched_when_its_issuer_is_added_and_no_request_or_handshake_asks_for_it() {
    let mut world = World::new(true);
    world.gives(&world.list(5));
    world.add("deny").ok();
    assert_eq!(world.server.asked(), 1);
    world.portal.start_gate();
    for _ in 0..3 {
        assert_eq!(world.codes(), ["200", "revoked"]);
    }
    assert_eq!(world.server.asked(), 1, "what was fetched a moment ago is not due");
    let shown = world.portal.countersign(&["ca", "show", "acme", "--json"]).ok().json();
    assert_eq!(shown["crl"][0]["url"], world.server.url().as_str(), "{shown}");
    assert_eq!(shown["crl"][0]["number"], "5", "{shown}");

    world.gives(&Crl::new().number(6));
    world.portal.countersign(&["ca", "fetch", "acme"]).ok();
    eventually("the fetched list is in force", || (world.codes() == ["200", "200"]).then_some(()));
}

#[test]
fn a_running_gate_has_the_lists_of_its_configuration_fetched_and_refuses_until_they_are_there() {
    let mut world = World::new(true);
    world.server.answers("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n");
    world.write_down(&world.server.url());
    world.portal.start_gate();
    assert_eq!(world.codes(), ["revocation-unknown", "revocation-unknown"]);
    world.portal.gate().wait_stderr("could not be fetched", Duration::from_secs(20));
    let attention = world.attention();
    assert!(attention.contains("status 503") && attention.contains("not been fetched yet"), "{attention}");
    world.gives(&world.list(5));
    world.portal.countersign(&["ca", "fetch"]).ok();
    // Whoever asks again and again meanwhile is a stranger above the number a minute, and gets an alert for a page.
    world.portal.gate().wait_stderr("a revocation list is in force", Duration::from_secs(20));
    eventually("the list is in force", || (world.codes() == ["200", "revoked"]).then_some(()));
    assert!(!world.attention().contains("revocation list"), "{}", world.attention());
}

#[test]
fn a_lower_number_is_refused_also_after_a_restart_and_the_last_good_copy_survives_it() {
    let mut world = World::new(true);
    world.gives(&world.list(5));
    world.add("deny").ok();
    world.portal.start_gate();
    world.gives(&Crl::new().number(4));
    let older = world.portal.countersign(&["ca", "fetch"]).exited(1);
    assert!(older.both().contains("is older than the one that is kept"), "{}", older.story());
    assert_eq!(world.codes(), ["200", "revoked"]);
    world.portal.stop_gate();

    world.portal.start_gate();
    assert_eq!(world.codes(), ["200", "revoked"], "the copy on disk is in force");
    let older = world.portal.countersign(&["ca", "fetch"]).exited(1);
    assert!(older.both().contains("is older than the one that is kept"), "{}", older.story());
    world.portal.countersign(&["ca", "fetch"]).exited(1);
    assert!(world.attention().contains("cannot be fetched"), "three times in a row: {}", world.attention());
    assert_eq!(world.codes(), ["200", "revoked"]);
    // Numbers that began anew are accepted by command.
    world.portal.countersign(&["ca", "accept-crl", "acme", "--yes"]).ok();
    world.sees_lists(1);
    assert_eq!(world.codes(), ["200", "200"]);
    world.gives(&world.list(5));
    world.portal.countersign(&["ca", "fetch"]).ok();
    world.sees_lists(2);
    assert_eq!(world.codes(), ["200", "revoked"], "what was accepted is the measure");
    world.gives(&Crl::new().number(6));
    world.portal.countersign(&["ca", "fetch"]).ok();
    world.sees_lists(3);
    assert_eq!(world.codes(), ["200", "200"], "a higher number is taken");
}

#[test]
fn past_next_update_deny_refuses_the_unlisted_and_allow_lets_them_in() {
    for (on_stale, good) in [("deny", "revocation-unknown"), ("allow", "200")] {
        let mut world = World::new(true);
        world.gives(&world.list(5).updates_from_now(-3600, -60));
        world.add(on_stale).ok();
        world.portal.start_gate();
        assert_eq!(world.codes(), [good, "revoked"], "{on_stale}");
        assert!(world.attention().contains("is too old since"), "{}", world.attention());
    }
}

#[test]
fn an_address_that_is_not_public_is_asked_only_where_the_configuration_lists_it() {
    let world = World::new(false);
    world.gives(&world.list(5));
    let refused = world.add("deny").exited(1);
    let said = refused.both();
    assert!(said.contains("not a public address") && said.contains("fetch_private"), "{}", refused.story());
    assert_eq!(world.server.asked(), 0);
    world.portal.countersign(&["ca", "show", "acme"]).exited(5);
}

#[test]
fn a_dry_run_refuses_an_address_that_the_fetch_would_refuse_and_asks_nobody() {
    let unlisted = World::new(false);
    let refused = unlisted.add_from(&unlisted.server.url(), &["--dry-run"]).exited(1);
    let said = refused.both();
    assert!(said.contains("not a public address") && said.contains("fetch_private"), "{}", refused.story());
    let refused = unlisted.add_from("http://nowhere.invalid/acme.crl", &["--dry-run"]).exited(1);
    assert!(refused.both().contains("cannot be resolved"), "{}", refused.story());

    let listed = World::new(true);
    let url = listed.server.url();
    let would = listed.add_from(&url, &["--dry-run"]).ok();
    assert!(would.both().contains(&format!("once its list is fetched from {url}")), "{}", would.story());
    assert_eq!((unlisted.server.asked(), listed.server.asked()), (0, 0));
    listed.portal.countersign(&["ca", "show", "acme"]).exited(5);
}

#[test]
fn what_is_not_the_issuers_whole_list_is_not_taken_and_the_issuer_not_trusted() {
    let world = World::new(true);
    let (list, stranger) = (world.list(5).der(&world.acme), Crl::new().der(&TestCa::new("Other CA")));
    world.server.gives(&stranger);
    assert!(world.add("deny").exited(1).both().contains("signed by none of the CA's certificates"));
    world.server.gives(&list[..list.len() - 1]);
    world.add("deny").exited(1);
    world.server.answers("HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/acme.crl\r\n\r\n");
    assert!(world.add("deny").exited(1).both().contains("only redirects on the same host"));
    world.server.answers("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n");
    world.add("deny").exited(1);
    world.server.gives(&list);
    world.add("deny").ok();
}

#[test]
fn a_url_that_cannot_be_fetched_stops_the_start_with_its_reason() {
    for (url, reason) in [
        ("ftp://crl.acme.example/ca.crl", "neither http:// nor https://"),
        ("http://me@crl.acme.example/ca.crl", "user name"),
    ] {
        let world = World::new(true);
        world.write_down(url);
        let validated = world.portal.countersign(&["validate"]).exited(3);
        assert!(validated.both().contains(reason), "{}", validated.story());
    }
}
