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
    assert!(told.stdout.starts_with("1 error"), "{}", told.story());
    for part in
        ["0 CN=www.example.com", "trust anchor", "error  hostname-mismatch", "remedy", "RFC 9525", "bytes"]
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
    files.sandbox.countersign(&["check", "empty.pem"]).exited(1);
    let key = files.sandbox.countersign(&["check", "www.key"]).exited(1);
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
