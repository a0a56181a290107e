use testkit::{Sandbox, TestCa, openssl};

use crate::support::binary;

/// `www.pem` with `www.key`, issued under an intermediate; `chain.pem` has both certificates.
fn files() -> Sandbox {
    let sandbox = Sandbox::new(&binary());
    let ca = TestCa::new("Some CA").intermediate("Some Issuing CA");
    let www = ca.issue_server("www.example.com");
    www.write(sandbox.dir(), "www");
    ca.write(sandbox.dir(), "issuing");
    let own = pem_blocks(&sandbox.read("www.pem"));
    let issuing = pem_blocks(&ca.pem());
    sandbox.write("one.pem", &own[0]);
    sandbox.write("chain.pem", [own[0].as_str(), issuing[0].as_str()].concat());
    sandbox
}

fn pem_blocks(text: &str) -> Vec<String> {
    let end = "-----END CERTIFICATE-----\n";
    text.split_inclusive(end).filter(|block| block.contains("BEGIN")).map(str::to_owned).collect()
}

fn thumbprints(sandbox: &Sandbox, args: &[&str]) -> Vec<String> {
    let value = sandbox.countersign(&[&["cert", "inspect", "--json"], args].concat()).ok().json();
    let all = value["certificates"].as_array().unwrap().iter();
    all.map(|one| one["thumbprint"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn inspect_shows_everything_with_its_bytes() {
    let sandbox = files();
    let told = sandbox.countersign(&["cert", "inspect", "one.pem", "-v"]).ok();
    for part in [
        "www.example.com",
        "not after",
        "TLS Web Server Authentication",
        "tbsCertificate.subject, bytes",
        "SHA-1",
    ] {
        assert!(told.stdout.contains(part), "{part}: {}", told.story());
    }
    let value = sandbox.countersign(&["cert", "inspect", "one.pem", "--json"]).ok().json();
    let fields = value["certificates"][0]["fields"].as_array().unwrap();
    let der =
        openssl(sandbox.dir(), &["x509", "-in", "one.pem", "-noout", "-ext", "subjectAltName"], b"").ok();
    assert!(der.stdout.contains("www.example.com"));
    assert!(
        fields.iter().any(|row| row["name"] == "names" && row["values"][0] == "www.example.com"),
        "{value:#}"
    );
}

#[test]
fn lint_looks_at_certificates_alone() {
    let sandbox = files();
    let report = sandbox.countersign(&["cert", "lint", "chain.pem", "--json"]).json();
    assert_eq!(report["shape"], "apart");
    let findings = report["findings"].as_array().unwrap();
    assert!(
        findings.iter().all(|one| one["id"] != "chain-incomplete" && one["id"] != "untrusted-root"),
        "{report:#}"
    );
    assert_eq!(report["chain"].as_array().unwrap().len(), 2);
}

#[test]
fn in_a_client_chain_the_ca_is_no_client_that_is_a_ca_and_alone_it_is() {
    let sandbox = Sandbox::new(&binary());
    let ca = TestCa::new("Some CA").intermediate("Some Issuing CA");
    ca.issue("alice").write(sandbox.dir(), "alice");
    let issuing = pem_blocks(&ca.pem());
    sandbox.write("chain.pem", [pem_blocks(&sandbox.read("alice.pem"))[0].as_str(), &issuing[0]].concat());
    sandbox.write("ca.pem", &issuing[0]);
    let told = |file: &str| {
        let lint = sandbox.countersign(&["cert", "lint", file, "--profile", "mtls-client", "--json"]);
        let findings = lint.json()["findings"].clone();
        findings.as_array().unwrap().iter().any(|one| one["id"] == "client-ca-bit-set")
    };
    assert!(!told("chain.pem"), "it issued the first");
    assert!(told("ca.pem"), "here it is the one that is shown");
}

#[test]
fn a_chain_goes_through_every_form_and_comes_back() {
    let sandbox = files();
    let dir = sandbox.dir();
    let before = thumbprints(&sandbox, &["chain.pem"]);
    assert_eq!(before.len(), 2);
    let convert = |args: &[&str]| sandbox.countersign(&[&["cert", "convert"], args].concat());
    convert(&["chain.pem", "--to", "pkcs7", "--out", "chain.p7b"]).ok();
    let listed = openssl(dir, &["pkcs7", "-in", "chain.p7b", "-print_certs", "-noout"], b"").ok();
    assert!(
        listed.stdout.contains("www.example.com") && listed.stdout.contains("Some Issuing CA"),
        "{}",
        listed.story()
    );
    assert_eq!(thumbprints(&sandbox, &["chain.p7b"]), before);
    convert(&["one.pem", "--to", "der", "--out", "one.der"]).ok();
    openssl(dir, &["x509", "-inform", "der", "-in", "one.der", "-noout"], b"").ok();
    convert(&["chain.pem", "--to", "der", "--out", "two.der"]).exited(2);

    let made = convert(&["chain.pem", "--key", "www.key", "--to", "pkcs12", "--out", "www.p12", "--json"])
        .ok()
        .json();
    let password = made["password"].as_str().unwrap();
    assert_eq!(password.chars().count(), 20);
    openssl(dir, &["pkcs12", "-in", "www.p12", "-passin", &format!("pass:{password}"), "-nodes"], b"").ok();
    sandbox.write("password", password);
    assert_eq!(thumbprints(&sandbox, &["www.p12", "--password-file", "password"]), before);
    let back = [
        "www.p12",
        "--password-file",
        "password",
        "--to",
        "pem",
        "--out",
        "back.pem",
        "--key-out",
        "back.key",
    ];
    convert(&back).ok();
    assert_eq!(thumbprints(&sandbox, &["back.pem"]), before);
    let public = |key: &str| openssl(dir, &["pkey", "-in", key, "-pubout"], b"").ok().stdout;
    assert_eq!(public("back.key"), public("www.key"));
    let taken = convert(&["chain.pem", "--to", "pem", "--out", "back.pem"]).exited(1);
    assert!(taken.stderr.contains("is there already"), "{}", taken.story());
}

#[test]
fn a_key_of_old_form_goes_into_a_modern_file_under_a_chosen_password() {
    let sandbox = files();
    let dir = sandbox.dir();
    let rsa = [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "rsa.key", "-subj", "/CN=rsa", "-out",
        "rsa.pem",
    ];
    openssl(dir, &rsa, b"").ok();
    openssl(dir, &["rsa", "-in", "rsa.key", "-traditional", "-out", "old.key"], b"").ok();
    sandbox.write("mine", "a long password of my own\n");
    sandbox.write("empty", "\n");
    let convert = |key: &str, extra: &[&str]| {
        let base = ["cert", "convert", "rsa.pem", "--key", key, "--to", "pkcs12", "--out", "rsa.p12"];
        sandbox.countersign(&[&base, extra].concat())
    };
    convert("old.key", &["--p12", "modern", "--password-file", "empty"]).exited(2);
    convert("old.key", &["--password-file", "mine"]).exited(2);
    convert("www.key", &[]).exited(1);
    assert!(!sandbox.path("rsa.p12").exists());
    let made = convert("old.key", &["--p12", "modern", "--password-file", "mine"]).ok();
    assert!(!made.both().contains("a long password"), "{}", made.story());
    let info = ["pkcs12", "-info", "-in", "rsa.p12", "-passin", "file:mine", "-nodes"];
    let shown = openssl(dir, &info, b"").ok().both();
    assert!(shown.contains("AES-256-CBC") && shown.contains("MAC: sha256"), "{shown}");
}

#[test]
fn a_word_that_is_code_and_finding_is_explained_as_both() {
    let sandbox = files();
    let told = sandbox.countersign(&["explain", "expired"]).ok();
    assert!(told.stdout.contains("TLS alert 45") && told.stdout.contains("a finding:"), "{}", told.story());
    let value = sandbox.countersign(&["explain", "expired", "--json"]).ok().json();
    assert_eq!((&value["alert"], &value["finding"]["id"]), (&45.into(), &"expired".into()));
}

#[test]
fn an_apple_profile_holds_key_certificate_and_root_for_any_reader_of_property_lists() {
    let sandbox = Sandbox::new(&binary());
    let ca = TestCa::new("Some <CA> & Sons");
    ca.issue("alice").write(sandbox.dir(), "alice");
    ca.write(sandbox.dir(), "root");
    let convert =
        ["cert", "convert", "alice.pem", "--key", "alice.key", "--to", "mobileconfig", "--root", "root.pem"];
    let made =
        sandbox.countersign(&[&convert[..], &["--out", "alice.mobileconfig", "--json"]].concat()).ok().json();
    let password = made["password"].as_str().unwrap();
    let script = "
import json, plistlib
profile = plistlib.load(open('alice.mobileconfig', 'rb'))
parts = profile['PayloadContent']
open('inside.p12', 'wb').write(parts[0]['PayloadContent'])
open('inside.cer', 'wb').write(parts[1]['PayloadContent'])
print(json.dumps({
  'kind': profile['PayloadType'], 'parts': [part['PayloadType'] for part in parts], 'shown': parts[1]['PayloadDisplayName'],
  'password': any('Password' in part for part in parts), 'ids': len({part['PayloadUUID'] for part in parts + [profile]})}))
";
    let mut python = std::process::Command::new("python3");
    python.args(["-c", script]).current_dir(sandbox.dir());
    let read = testkit::process::run(&mut python, b"", std::time::Duration::from_secs(60)).ok().json();
    let expected = serde_json::json!({
        "kind": "Configuration", "parts": ["com.apple.security.pkcs12", "com.apple.security.root"],
        "shown": "Some <CA> & Sons", "password": false, "ids": 3 });
    assert_eq!(read, expected);
    let pass = format!("pass:{password}");
    let opened =
        openssl(sandbox.dir(), &["pkcs12", "-in", "inside.p12", "-passin", &pass, "-nodes", "-legacy"], b"")
            .ok();
    assert!(
        opened.stdout.contains("BEGIN PRIVATE KEY") && opened.stdout.contains("CN = alice"),
        "{}",
        opened.story()
    );
    let root = openssl(sandbox.dir(), &["x509", "-inform", "DER", "-in", "inside.cer"], b"").ok().stdout;
    assert_eq!(root, openssl(sandbox.dir(), &["x509", "-in", "root.pem"], b"").ok().stdout);
    let text = sandbox.read("alice.mobileconfig");
    assert!(!text.contains(password), "the device asks for it");
    let mode = std::fs::metadata(sandbox.dir().join("alice.mobileconfig")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);

    // A leaf is no root, and other forms take none.
    let leaf =
        ["cert", "convert", "alice.pem", "--key", "alice.key", "--to", "mobileconfig", "--root", "alice.pem"];
    let refused = sandbox.countersign(&[&leaf[..], &["--out", "other.mobileconfig"]].concat()).exited(2);
    assert!(refused.stderr.contains("is no CA's certificate"), "{}", refused.story());
    let other = ["cert", "convert", "alice.pem", "--to", "pem", "--root", "root.pem"];
    sandbox.countersign(&other).exited(2);
    assert!(!sandbox.dir().join("other.mobileconfig").exists());
}
