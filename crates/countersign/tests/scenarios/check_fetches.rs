//! `check --fetch`: what certificates name is asked for, named in the report, and judged.

pub mod http;
mod responder;

use std::path::Path;

use serde_json::Value;
use testkit::{Access, Leaf, Sandbox, TestCa, TestCert};

use crate::support::binary;
use http::{Http, ok, status};
use responder::Responder;

const HOST: &str = "www.example.com";

/// A server's certificate two CAs below its root, and the HTTP server that its addresses lead to.
struct World {
    sandbox: Sandbox,
    http: Http,
    root: TestCa,
    policy: TestCa,
    issuing: TestCa,
    www: TestCert,
}

impl World {
    /// `alone.pem`: the server's certificate without any other; `www.pem`: its whole chain; `ca.pem`: the root.
    fn new() -> Self {
        let sandbox = Sandbox::new(&binary());
        let http = Http::start();
        let root = TestCa::new("Some Root");
        let policy = TestCa::build("Some Policy CA").under(&root);
        let issuing = TestCa::build("Some Issuing CA")
            .access(&[(Access::Issuer, &http.url("/policy.cer"))])
            .under(&policy);
        let access = [(Access::Issuer, &*http.url("/issuing.cer")), (Access::Ocsp, &*http.url("/ocsp"))];
        let www = Leaf::server(HOST).access(&access).crl_url(&http.url("/issuing.crl")).issued_by(&issuing);
        sandbox.write("alone.pem", www.pem.clone());
        sandbox.write("www.pem", www.chain_pem.clone());
        sandbox.write("ca.pem", root.pem());
        http.gives("/issuing.cer", ok(issuing.der()));
        http.gives("/policy.cer", ok(policy.der()));
        http.gives("/issuing.crl", ok(&testkit::ca::Crl::new().der(&issuing)));
        let world = Self { sandbox, http, root, policy, issuing, www };
        world.http.answers("/ocsp", world.responder(None).serve());
        world
    }

    fn dir(&self) -> &Path {
        self.sandbox.dir()
    }

    fn responder(&self, revoked: Option<&TestCert>) -> Responder {
        Responder::new(self.dir(), &self.issuing, &self.www, revoked.is_some())
    }

    fn check(&self, args: &[&str]) -> testkit::Output {
        let all = [&["check", "--private", "--roots", "ca.pem", "--servername", HOST], args].concat();
        self.sandbox.countersign(&all)
    }

    fn report(&self, file: &str) -> Value {
        self.check(&[file, "--fetch", "--json"]).json()
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.dir().join(file)).unwrap()
    }
}

fn ids(report: &Value, severity: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let these = findings.filter(|one| one["severity"] == severity);
    these.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_chain_is_completed_from_the_addresses_that_its_certificates_name() {
    let world = World::new();
    let told = world.check(&["alone.pem", "--fetch", "--out", "fullchain.pem"]).ok();
    assert_eq!(world.read("fullchain.pem"), world.www.chain_pem);
    for path in ["/issuing.cer", "/policy.cer"] {
        assert!(told.stderr.contains(&world.http.url(path)), "{path} is named: {}", told.story());
    }
    assert_eq!(world.http.asked("/issuing.cer"), ["GET"]);
    let report = world.report("alone.pem");
    assert_eq!(ids(&report, "error"), ["chain-incomplete"]);
    let sentence = report["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("Works in browsers that fetch what is missing"), "{sentence}");
}

#[test]
fn several_certificates_in_pkcs7_do_and_pem_does_with_a_warning() {
    let world = World::new();
    let both = format!("{}{}", world.policy.pem(), world.issuing.pem());
    world.sandbox.write("both.pem", both);
    let args = ["crl2pkcs7", "-nocrl", "-outform", "DER", "-certfile", "both.pem", "-out", "both.p7c"];
    testkit::openssl(world.dir(), &args, b"");
    world.http.gives("/issuing.cer", ok(&std::fs::read(world.dir().join("both.p7c")).unwrap()));
    world.check(&["alone.pem", "--fetch", "--out", "a.pem"]).ok();
    assert_eq!(world.read("a.pem"), world.www.chain_pem);
    assert!(!ids(&world.report("alone.pem"), "warning").contains(&"aia-url-dead-or-wrong-type".into()));

    world.http.gives("/issuing.cer", ok(world.issuing.pem().as_bytes()));
    world.check(&["alone.pem", "--fetch", "--out", "b.pem"]).ok();
    assert_eq!(world.read("b.pem"), world.www.chain_pem);
    assert!(ids(&world.report("alone.pem"), "warning").contains(&"aia-url-dead-or-wrong-type".into()));
}

#[test]
fn nobody_is_asked_without_fetch_and_the_help_names_it() {
    let world = World::new();
    let told = world.check(&["alone.pem", "--out", "fullchain.pem"]).exited(1);
    assert!(told.stderr.contains("--fetch"), "{}", told.story());
    let report = world.check(&["www.pem", "--json"]).ok().json();
    assert_eq!(report["network"], serde_json::json!([]));
    assert_eq!(world.http.count(), 0, "nobody was asked");
}

#[test]
fn addresses_that_are_not_public_are_left_alone_where_that_is_wanted() {
    let world = World::new();
    let told = world.check(&["www.pem", "--fetch", "--allow-private", "no"]).ok();
    assert!(told.stdout.contains("127.0.0.1, which is not a public address"), "{}", told.story());
    assert_eq!(world.http.count(), 0, "nobody was asked");
    world.check(&["www.pem", "--fetch", "--allow-private", "yes"]).ok();
    assert!(world.http.count() > 0);
    world.check(&["www.pem", "--allow-private", "no"]).exited(2);
}

#[test]
fn a_good_answer_is_no_finding_and_a_revocation_is_found_by_list_and_by_responder() {
    let world = World::new();
    let report = world.report("www.pem");
    assert_eq!(ids(&report, "error"), [""; 0], "{report:#}");
    assert_eq!(ids(&report, "warning"), [""; 0], "{report:#}");
    assert!(!report["untold"].to_string().contains("revoked-crl"), "{report:#}");
    let faults: Vec<&Value> =
        report["network"].as_array().unwrap().iter().filter(|one| !one["fault"].is_null()).collect();
    assert!(faults.is_empty(), "{faults:?}");

    world.http.answers("/ocsp", world.responder(Some(&world.www)).serve());
    assert_eq!(ids(&world.report("www.pem"), "error"), ["revoked-ocsp"]);

    world.http.answers("/ocsp", world.responder(None).serve());
    let list = testkit::ca::Crl::new().revoke(&world.www, None).der(&world.issuing);
    world.http.gives("/issuing.crl", ok(&list));
    assert_eq!(ids(&world.report("www.pem"), "error"), ["revoked-crl"]);
}

#[test]
fn ocsp_is_asked_by_get_and_where_that_is_refused_or_too_long_by_post() {
    let world = World::new();
    world.report("www.pem");
    assert_eq!(world.http.asked("/ocsp"), ["GET"]);

    let right = world.responder(None).serve();
    let post_alone =
        move |asked: &http::Asked| if asked.method == "GET" { status(405) } else { right(asked) };
    world.http.answers("/ocsp", post_alone);
    let report = world.report("www.pem");
    assert_eq!(world.http.asked("/ocsp"), ["GET", "GET", "POST"]);
    assert_eq!(ids(&report, "error"), [""; 0]);
    let found = report["findings"].to_string();
    assert!(found.contains("answers POST and not GET"), "{found}");

    let long = format!("/ocsp/{}", "a".repeat(200));
    world.http.answers(&long, world.responder(None).serve());
    let access = [(Access::Ocsp, &*world.http.url(&long))];
    let www = Leaf::server(HOST).access(&access).issued_by(&world.issuing);
    world.sandbox.write("long.pem", www.chain_pem.clone());
    let report = world.report("long.pem");
    assert_eq!(world.http.asked(&long), ["POST"]);
    // The responder's index does not have this certificate: it says so, and is believed.
    assert_eq!(ids(&report, "error"), ["revoked-ocsp"], "{report:#}");
    assert!(report["findings"].to_string().contains("does not know it"));
}

#[test]
fn an_answer_of_another_ca_is_no_answer() {
    let world = World::new();
    let other = TestCa::build("Some Issuing CA").under(&world.root);
    world
        .http
        .answers("/ocsp", Responder::new(world.dir(), &other, &world.www, false).signing_for(&world.issuing));
    let report = world.report("www.pem");
    assert!(ids(&report, "error").contains(&"ocsp-signer-not-authorised".into()), "{report:#}");
}

#[test]
fn what_the_addresses_give_is_trusted_no_further_than_it_proves() {
    let world = World::new();
    // A certificate of the same name with another key.
    let other = TestCa::build("Some Issuing CA").under(&world.root);
    world.http.gives("/issuing.cer", ok(other.der()));
    let told = world.check(&["alone.pem", "--fetch", "--out", "a.pem"]).exited(1);
    assert!(told.stderr.contains("is missing"), "{}", told.story());
    assert!(!world.dir().join("a.pem").exists());
    assert!(ids(&world.report("alone.pem"), "error").contains(&"aia-fetched-is-not-issuer".into()));

    // A root that nobody trusts does not become trusted by being fetched.
    let stranger = TestCa::new("Stranger");
    let access = [(Access::Issuer, &*world.http.url("/stranger.cer"))];
    let www = Leaf::server(HOST).access(&access).issued_by(&stranger);
    world.http.gives("/stranger.cer", ok(stranger.der()));
    world.sandbox.write("stranger.pem", www.pem);
    let report = world.report("stranger.pem");
    assert_eq!(report["verdict"], "errors");
    assert!(
        report["chain"].as_array().unwrap().iter().all(|one| one["subject"] != "CN=Stranger"),
        "{report:#}"
    );
}

#[test]
fn dead_and_wrong_addresses_are_warnings_with_the_reason() {
    let world = World::new();
    world.http.gives("/issuing.cer", ok(b"<html>not here</html>"));
    world.http.gives("/issuing.crl", status(404));
    world.http.gives("/ocsp", status(503));
    let report = world.report("www.pem");
    assert_eq!(ids(&report, "error"), [""; 0], "{report:#}");
    let warnings = ids(&report, "warning");
    for id in ["aia-url-dead-or-wrong-type", "crl-unreachable-expired", "ocsp-unreachable-or-slow"] {
        assert_eq!(warnings.iter().filter(|one| *one == id).count(), 1, "{id}: {warnings:?}");
    }
    let found = report["findings"].to_string();
    for words in ["what came is no certificate", "status 404", "status 503"] {
        assert!(found.contains(words), "{words}: {found}");
    }
}

#[test]
fn more_than_certificates_may_have_and_a_server_that_never_answers_end_the_question() {
    let world = World::new();
    world.http.gives("/issuing.cer", ok(&vec![0x30; (256 << 10) + 1]));
    world.http.silent("/issuing.crl");
    let report = world.report("www.pem");
    let found = report["findings"].to_string();
    assert!(found.contains("larger than 262144 bytes"), "{found}");
    assert!(found.contains("nothing whole came within 10 seconds"), "{found}");
}

#[test]
fn every_form_of_the_report_names_what_was_asked() {
    let world = World::new();
    let url = world.http.url("/issuing.crl");
    for form in ["text", "html", "markdown", "sarif", "junit"] {
        let told = world.check(&["www.pem", "--fetch", "--format", form]).ok();
        // Markdown escapes what would become a link.
        assert!(told.stdout.replace('\\', "").contains(&url), "{form}: {}", told.stdout);
    }
    let report = world.report("www.pem");
    let asked = report["network"].as_array().unwrap();
    assert!(
        asked.iter().any(|one| one["url"] == url.as_str() && one["sought"] == "revocation-list"),
        "{asked:#?}"
    );
}
