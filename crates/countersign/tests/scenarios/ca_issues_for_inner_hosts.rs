use std::os::unix::fs::MetadataExt;

use testkit::{Output, Portal, openssl};

use crate::support::binary;

const ISSUE: [&str; 8] =
    ["ca", "issue", "--san", "dns:db.internal", "--san", "ip:10.0.0.5", "--out", "inner"];

/// `openssl verify` of `file` as a server's certificate, trusting the root alone.
fn verify(portal: &Portal, file: &str, host: &[&str]) -> Output {
    let args = ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.pem", "-untrusted", file];
    openssl(portal.sandbox.dir(), &[&args[..], host, &[file]].concat(), b"")
}

#[test]
fn a_server_inside_gets_a_certificate_that_openssl_verifies_and_that_opens_no_site() {
    let mut portal = Portal::build(&binary()).prepare();
    let told = portal.countersign(&ISSUE).ok();
    for part in ["dns:db.internal, ip:10.0.0.5", "inner/db.internal.pem", "inner/db.internal.key"] {
        assert!(told.stdout.contains(part), "{part}: {}", told.story());
    }
    assert!(told.stderr.contains("new server CA"), "{}", told.story());
    let file = "inner/db.internal.pem";
    verify(&portal, file, &["-verify_hostname", "db.internal"]).ok();
    verify(&portal, file, &["-verify_ip", "10.0.0.5"]).ok();
    verify(&portal, file, &["-verify_hostname", "else.internal"]).exited(2);
    let key = portal.sandbox.path("inner/db.internal.key");
    assert_eq!(key.metadata().unwrap().mode() & 0o777, 0o600);
    let public = ["pkey", "-in", "inner/db.internal.key", "-pubout"];
    let certified = ["x509", "-in", file, "-noout", "-pubkey"];
    let dir = portal.sandbox.dir().to_path_buf();
    assert_eq!(openssl(&dir, &public, b"").ok().stdout, openssl(&dir, &certified, b"").ok().stdout);

    let certificate = examiner::cert::pem::certificates(portal.sandbox.read(file).as_bytes()).unwrap();
    assert_eq!(certificate.len(), 2, "the certificate, then the server CA");
    let log = portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().json();
    let entry = log.as_array().unwrap().iter().find(|one| {
        one["detail"].as_str().is_some_and(|text| text.starts_with("server certificate for dns:db.internal"))
    });
    let entry = entry.expect("an entry of the audit log");
    assert_eq!(entry["thumbprint"], certificate[0].thumbprint.to_string());
    assert!(entry["detail"].as_str().unwrap().contains(&certificate[0].serial_hex()), "{entry}");

    let again = portal.countersign(&ISSUE).exited(1);
    assert!(again.stderr.contains("there already"), "{}", again.story());
    portal.add_party("alice");
    portal.start_gate();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200, "the site shows its certificate as before");
    let before = portal.echo.count();
    assert_eq!(portal.curl(Some("inner/db.internal"), "/", &[]).status, 403, "it is no client's");
    assert_eq!(portal.echo.count(), before);
}

#[test]
fn without_the_roots_key_only_a_new_name_is_refused_with_what_to_do() {
    let portal = Portal::build(&binary()).prepare();
    let away = portal.sandbox.path("root.key");
    portal.countersign(&ISSUE).ok();
    portal.countersign(&["site", "add", "two.test", "--upstream", "http://127.0.0.1:1"]).ok();
    std::fs::rename(portal.sandbox.path("state/ca/root.key"), &away).unwrap();

    let issue = |name: &str, out: &str| portal.countersign(&["ca", "issue", "--san", name, "--out", out]);
    let refused = issue("dns:mail.internal", "mail").exited(1);
    for part in ["key of the root CA is not here", "help: Bring the key back to", "state/ca/root.key"] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.story());
    }
    assert_eq!(portal.sandbox.path("mail").read_dir().unwrap().count(), 0, "nothing is written");
    issue("dns:db.internal", "second").ok();
    issue("dns:new.db.internal", "below").ok();
    verify(&portal, "second/db.internal.pem", &["-verify_hostname", "db.internal"]).ok();

    std::fs::rename(away, portal.sandbox.path("state/ca/root.key")).unwrap();
    issue("dns:mail.internal", "mail").ok();
    verify(&portal, "mail/mail.internal.pem", &["-verify_hostname", "mail.internal"]).ok();
}

#[test]
fn only_the_key_of_a_request_is_taken_and_the_profile_decides_the_rest() {
    let portal = Portal::build(&binary()).prepare();
    let dir = portal.sandbox.dir();
    let request = "req -new -newkey rsa:2048 -nodes -keyout own.key -out own.csr -subj /CN=evil.test \
                   -addext subjectAltName=DNS:evil.test";
    openssl(dir, &request.split_whitespace().collect::<Vec<_>>(), b"").ok();
    let issue = ["ca", "issue", "--san", "dns:*.apps.internal", "--csr", "own.csr", "--json"];
    let made = portal.countersign(&issue).ok().json();
    assert_eq!(made["files"], serde_json::json!(["./wildcard.apps.internal.pem"]));
    assert_eq!(made["names"], serde_json::json!(["dns:*.apps.internal"]));
    let file = "wildcard.apps.internal.pem";
    verify(&portal, file, &["-verify_hostname", "a.apps.internal"]).ok();
    verify(&portal, file, &["-verify_hostname", "evil.test"]).exited(2);
    assert!(!portal.sandbox.path("wildcard.apps.internal.key").exists());
    portal.countersign(&[&issue[..], &["--key", "ed25519"]].concat()).exited(2);

    let plain = ["ca", "issue", "--san", "dns:db.internal", "--out", "db"];
    let later = portal.countersign(&[&plain[..], &["--not-after", "2099-01-01"]].concat()).exited(2);
    assert!(later.stderr.contains("90"), "{}", later.story());
    for wrong in ["db.internal", "dns:", "ip:db", "email:a@b.test", "dns:a..b", "dns:a b"] {
        portal.countersign(&["ca", "issue", "--san", wrong]).exited(2);
    }
    portal.countersign(&[&plain[..], &["--dry-run"]].concat()).ok();
    assert!(!portal.sandbox.path("db/db.internal.pem").exists());
    portal.countersign(&[&plain[..], &["--key", "rsa-3072"]].concat()).ok();
    let text = openssl(dir, &["x509", "-in", "db/db.internal.pem", "-noout", "-text"], b"").ok().stdout;
    assert!(text.contains("(3072 bit)"), "{text}");
    verify(&portal, "db/db.internal.pem", &["-verify_hostname", "db.internal"]).ok();
}
