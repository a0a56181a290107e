use serde_json::Value;
use testkit::{Sandbox, TestCa, openssl};

use crate::support::binary;

struct Files {
    sandbox: Sandbox,
}

impl Files {
    /// `www.pem` with `www.key`, `other.key`, and `ca.pem`.
    fn new() -> Self {
        let sandbox = Sandbox::new(&binary());
        let ca = TestCa::new("Some CA");
        ca.issue_server("www.example.com").write(sandbox.dir(), "www");
        ca.issue_server("other.example.com").write(sandbox.dir(), "other");
        sandbox.write("ca.pem", ca.pem());
        Self { sandbox }
    }

    fn check(&self, args: &[&str]) -> Value {
        let all = [&["check", "--private", "--roots", "ca.pem", "--json"], args].concat();
        self.sandbox.countersign(&all).json()
    }
}

fn ids(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|finding| finding["id"].as_str().unwrap()).collect()
}

#[test]
fn a_report_has_the_fields_that_scripts_rest_on() {
    let files = Files::new();
    let report = files.check(&["www.pem", "--servername", "mail.example.com"]);
    assert_eq!(report["verdict"], "errors", "{report:#}");
    assert_eq!(report["chain"][0]["index"], 0);
    let finding =
        &report["findings"].as_array().unwrap().iter().find(|f| f["id"] == "hostname-mismatch").unwrap();
    for field in [
        "id", "severity", "role", "index", "path", "range", "observed", "expected", "clause", "affected",
        "remedy",
    ] {
        assert!(!finding[field].is_null(), "{field}: {finding:#}");
    }
    let right = files.check(&["www.pem", "--servername", "www.example.com"]);
    assert!(!ids(&right).contains(&"hostname-mismatch"), "{right:#}");
}

#[test]
fn the_exit_code_follows_the_severity_asked_for() {
    let files = Files::new();
    let check = |extra: &[&str]| {
        files
            .sandbox
            .countersign(&[&["check", "www.pem", "--servername", "mail.example.com"], extra].concat())
    };
    check(&[]).exited(1);
    check(&["--fail-on", "never"]).exited(0);
    check(&["--fail-on", "sometimes"]).exited(2);
    files.sandbox.countersign(&["check", "missing.pem"]).exited(5);
}

#[test]
fn the_text_begins_with_a_sentence_and_names_place_and_remedy() {
    let files = Files::new();
    let args = ["check", "www.pem", "--private", "--roots", "ca.pem", "--servername", "mail.example.com"];
    let told = files.sandbox.countersign(&args).exited(1);
    assert!(told.stdout.starts_with("Every client refuses it: "), "{}", told.story());
    for part in
        ["0 www.example.com", "trust anchor", "Errors\n\n  hostname-mismatch", "help:", "RFC 9525", "bytes"]
    {
        assert!(told.stdout.contains(part), "{part}: {}", told.story());
    }
}

#[test]
fn every_form_of_file_is_read_and_said() {
    let files = Files::new();
    let dir = files.sandbox.dir();
    openssl(dir, &["x509", "-in", "www.pem", "-outform", "der", "-out", "www.der"], b"").ok();
    openssl(dir, &["crl2pkcs7", "-nocrl", "-certfile", "www.pem", "-out", "www.p7b"], b"").ok();
    openssl(dir, &["crl2pkcs7", "-nocrl", "-certfile", "www.pem", "-outform", "der", "-out", "www.p7c"], b"")
        .ok();
    let plain = files.check(&["www.pem"]);
    assert!(!ids(&plain).contains(&"pkcs7-or-der-given"));
    for name in ["www.der", "www.p7b", "www.p7c"] {
        let report = files.check(&[name]);
        assert!(ids(&report).contains(&"pkcs7-or-der-given"), "{name}: {report:#}");
        assert_eq!(report["chain"][0]["thumbprint"], plain["chain"][0]["thumbprint"], "{name}");
    }
    let pem = files.sandbox.read("www.pem");
    let args = ["check", "-", "--private", "--json"];
    let piped = files.sandbox.countersign_with_input(&args, pem.as_bytes()).json();
    assert_eq!(piped["chain"][0]["thumbprint"], plain["chain"][0]["thumbprint"]);
    let several = files.check(&["www.pem", "other.pem"]);
    assert_eq!(several.as_array().map(Vec::len), Some(2), "{several:#}");
}

#[test]
fn damage_to_a_file_is_explained() {
    let files = Files::new();
    let pem = files.sandbox.read("www.pem");
    files.sandbox.write("cut.pem", pem.replace("-----END CERTIFICATE-----", ""));
    let report = files.check(&["cut.pem"]);
    assert!(ids(&report).contains(&"pem-armour-damaged") && report["verdict"] == "errors", "{report:#}");
    files.sandbox.write("empty.pem", "nothing here\n");
    files.sandbox.countersign(&["check", "empty.pem"]).exited(2);
    let key = files.sandbox.countersign(&["check", "www.key"]).exited(2);
    assert!(key.both().contains("private key"), "{}", key.story());
}

#[test]
fn a_key_of_another_certificate_is_noticed() {
    let files = Files::new();
    assert!(!ids(&files.check(&["www.pem", "--key", "www.key"])).contains(&"key-does-not-match-certificate"));
    let wrong = files.check(&["www.pem", "--key", "other.key"]);
    assert!(ids(&wrong).contains(&"key-does-not-match-certificate"), "{wrong:#}");
}

#[test]
fn explain_knows_every_finding() {
    let sandbox = Sandbox::new(&binary());
    let ids = examiner::checks::all().map(|check| check.id);
    for id in ids.chain(examiner::input::ALL.iter().map(|about| about.id)) {
        let told = sandbox.countersign(&["explain", id]).ok();
        assert!(told.stdout.contains(id) && told.stdout.len() > 80, "{}", told.story());
    }
    let near = sandbox.countersign(&["explain", "san-misssing"]).exited(5);
    assert!(near.both().contains("san-missing"), "{}", near.story());
}

/// Everything that `--json` prints fits the published schema.
#[test]
fn json_is_as_the_published_schema_says() {
    let files = Files::new();
    let schema = files.sandbox.countersign(&["check", "--schema"]).ok().json();
    let published = include_str!("../../../../docs/schema/check.json");
    assert_eq!(
        serde_json::from_str::<Value>(published).unwrap(),
        schema,
        "docs/schema/check.json is another"
    );
    let schema = jsonschema::validator_for(&schema).unwrap();
    let request = ["req", "-new", "-key", "www.key", "-subj", "/CN=www.example.com", "-out", "www.csr"];
    openssl(files.sandbox.dir(), &request, b"").ok();
    for args in [
        &["www.pem"][..],
        &["www.pem", "--servername", "mail.example.com", "--key", "other.key"],
        &["www.pem", "other.pem", "missing.pem", "www.csr"],
        &["www.csr"],
        &["ca.pem"],
    ] {
        let report = files.check(args);
        let wrong: Vec<String> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{args:?}: {wrong:?}\n{report:#}");
    }
    assert!(!schema.is_valid(&serde_json::json!({ "verdict": "right" })));
}

#[test]
fn a_pkcs12_file_opens_with_its_password_alone() {
    let files = Files::new();
    let dir = files.sandbox.dir();
    files.sandbox.write("right", "open sesame\n");
    files.sandbox.write("wrong", "close sesame\n");
    let pack = |name: &str, pass: &str, extra: &[&str]| {
        let base =
            ["pkcs12", "-export", "-in", "www.pem", "-inkey", "www.key", "-out", name, "-passout", pass];
        openssl(dir, &[&base, extra].concat(), b"").ok();
    };
    pack("modern.p12", "pass:open sesame", &[]);
    pack("old.p12", "pass:open sesame", &["-legacy"]);
    pack("open.p12", "pass:", &[]);
    let plain = files.check(&["www.pem"]);
    for (name, old) in [("modern.p12", false), ("old.p12", true)] {
        let report = files.check(&[name, "--password-file", "right"]);
        assert_eq!(report["chain"][0]["thumbprint"], plain["chain"][0]["thumbprint"], "{name}");
        assert_eq!(ids(&report).contains(&"pkcs12-old-algorithms"), old, "{name}: {report:#}");
        assert!(!ids(&report).contains(&"pkcs12-empty-password"));
    }
    let refused = files.sandbox.countersign(&["check", "modern.p12", "--password-file", "wrong"]).exited(2);
    assert!(refused.stderr.contains("the password does not open"), "{}", refused.story());
    let without = files.sandbox.countersign(&["check", "modern.p12"]).exited(2);
    assert!(without.stderr.contains("--password-file"), "{}", without.story());
    assert!(ids(&files.check(&["open.p12"])).contains(&"pkcs12-empty-password"));
}

#[test]
fn what_could_not_be_examined_is_told_apart_from_what_was_found() {
    let files = Files::new();
    let args = ["check", "www.pem", "missing.pem", "other.pem", "--private", "--roots", "ca.pem", "--json"];
    let told = files.sandbox.countersign(&args).exited(5).json();
    assert_eq!(told.as_array().unwrap().len(), 3);
    assert!(told[1]["error"].as_str().unwrap().contains("missing.pem"), "{told:#}");
    assert!(told[2]["verdict"].is_string(), "the files after it are examined: {told:#}");
}

#[test]
fn lists_and_requests_have_reports_of_their_own() {
    let files = Files::new();
    let ca = TestCa::new("List CA");
    let leaf = ca.issue_server("www.list.example");
    leaf.write(files.sandbox.dir(), "leaf");
    files.sandbox.write("list-ca.pem", ca.pem());
    files.sandbox.write("fresh.crl", testkit::ca::Crl::new().revoke(&leaf, None).der(&ca));
    files.sandbox.write("old.crl", testkit::ca::Crl::new().updates_from_now(-900_000, -9_000).pem(&ca));
    files.sandbox.write("forged.crl", testkit::ca::Crl::new().pem(&TestCa::new("List CA")));
    let check = |args: &[&str]| {
        files
            .sandbox
            .countersign(&[&["check", "--private", "--roots", "list-ca.pem", "--json"], args].concat())
            .json()
    };
    let fresh = check(&["fresh.crl"]);
    assert_eq!(fresh["others"][0]["kind"], "revocation-list", "{fresh:#}");
    assert!(!ids(&fresh).contains(&"crl-unreachable-expired"), "{fresh:#}");
    assert!(ids(&check(&["old.crl"])).contains(&"crl-unreachable-expired"));
    assert!(ids(&check(&["forged.crl"])).contains(&"crl-signature-or-issuer-wrong"));
    assert!(!ids(&check(&["leaf.pem"])).contains(&"revoked-crl"));
    assert!(ids(&check(&["leaf.pem", "--crl", "fresh.crl"])).contains(&"revoked-crl"));
    let request = [
        "req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", "weak.key", "-subj", "/CN=x", "-out",
        "weak.csr",
    ];
    openssl(files.sandbox.dir(), &request, b"").ok();
    let weak = check(&["weak.csr"]);
    assert!(ids(&weak).contains(&"csr-weak-key-or-hash") && weak["verdict"] == "errors", "{weak:#}");
}

#[test]
fn a_bundle_of_roots_is_no_chain_and_its_ended_ones_are_named() {
    let files = Files::new();
    let now = testkit::times::clock();
    let ended = TestCa::build("Ended Root").valid(now.plus(-900_000), now.plus(-90_000)).root();
    let bundle = [TestCa::new("Good Root").pem(), ended.pem(), TestCa::new("Third Root").pem()].concat();
    files.sandbox.write("bundle.pem", bundle);
    let report = files.sandbox.countersign(&["check", "bundle.pem", "--private", "--json"]).json();
    assert_eq!(report["shape"], "bundle", "{report:#}");
    let stale: Vec<_> =
        report["findings"].as_array().unwrap().iter().filter(|f| f["severity"] != "notice").collect();
    assert_eq!(stale.len(), 1, "{report:#}");
    assert_eq!(
        (&stale[0]["id"], &stale[0]["index"]),
        (&"trust-bundle-expired-or-weak-roots".into(), &1.into())
    );
}

#[test]
fn a_key_on_a_list_of_bad_keys_is_found() {
    let files = Files::new();
    let pin = files.sandbox.countersign(&["cert", "thumbprint", "www.pem", "--json"]).ok().json();
    let pin = pin[0]["key_pin"].as_str().unwrap();
    files
        .sandbox
        .write("bad-keys", format!("kind: compromised\ndigest: sha256-spki\nmade: 2026-05-01\n{pin}\n"));
    let found = files.check(&["www.pem", "--key-list", "bad-keys"]);
    assert!(ids(&found).contains(&"known-compromised-key"), "{found:#}");
    files.sandbox.write("no-list", "hello\n");
    files.sandbox.countersign(&["check", "www.pem", "--key-list", "no-list"]).exited(2);
}

#[test]
fn root_stores_are_told_apart_where_they_differ() {
    let files = Files::new();
    let told = files.sandbox.countersign(&[
        "check",
        "www.pem",
        "--private",
        "--roots",
        "ca.pem",
        "--roots",
        "mozilla",
    ]);
    assert!(told.stdout.contains("trusted by: ca.pem"), "{}", told.story());
    assert!(told.stdout.contains("not trusted by: Mozilla of 20"), "{}", told.story());
}
