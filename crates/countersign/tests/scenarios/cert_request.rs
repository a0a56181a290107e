//! `cert request`: what other issuers read in it, and what they make of it enters.

use testkit::{Portal, tools};

use crate::support::binary;

fn openssl(portal: &Portal, args: &[&str]) -> String {
    tools::openssl(portal.sandbox.dir(), args, b"").ok().stdout
}

#[test]
fn an_issuer_elsewhere_reads_what_was_asked_and_its_certificate_enters() {
    let portal = Portal::build(&binary()).party("alice").start();
    let ask = ["cert", "request", "--subject", "CN=svc-1,O=Lab", "--san", "email:svc@example.com", "--json"];
    let made = portal.countersign(&ask).ok().json();
    assert_eq!(made["request"], "./svc-1.csr");
    assert_eq!(made["key_file"], "./svc-1.key");
    let read =
        openssl(&portal, &["req", "-in", "svc-1.csr", "-noout", "-verify", "-text", "-nameopt", "RFC2253"]);
    for word in
        ["Subject: CN=svc-1,O=Lab", "TLS Web Client Authentication", "email:svc@example.com", "prime256v1"]
    {
        assert!(read.contains(word), "{word}: {read}");
    }
    assert!(!read.contains("TLS Web Server Authentication"), "{read}");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(portal.sandbox.dir().join("svc-1.key")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);

    // Nothing that is there is overwritten.
    let again = portal.countersign(&ask).exited(1);
    assert!(again.stderr.contains("svc-1.csr is there already"), "{}", again.story());

    // The own authority takes it, and so does an issuer elsewhere.
    portal.countersign(&["party", "add", "svc", "--csr", "svc-1.csr", "--site", "portal.test"]).ok();
    openssl(
        &portal,
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "ca.key",
            "-out",
            "lab.pem",
            "-subj",
            "/CN=Lab CA",
            "-days",
            "30",
        ],
    );
    openssl(
        &portal,
        &[
            "x509",
            "-req",
            "-in",
            "svc-1.csr",
            "-CA",
            "lab.pem",
            "-CAkey",
            "ca.key",
            "-days",
            "9",
            "-copy_extensions",
            "copy",
            "-out",
            "svc-1.pem",
        ],
    );
    let add =
        ["ca", "add", "--name", "lab", "--site", "portal.test", "--match", "subject:CN=svc-1", "lab.pem"];
    portal.countersign(&add).ok();
    let read = |file: &str| std::fs::read_to_string(portal.sandbox.dir().join(file)).unwrap();
    let client = portal.client().showing_pem(&read("svc-1.pem"), &read("svc-1.key"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    crate::support::eventually("the certificate enters", || {
        let answer = runtime.block_on(client.knock(portal.port, "portal.test", "/")).unwrap();
        (answer.status == 200).then_some(())
    });
}

#[test]
fn a_request_can_be_for_a_server_or_for_a_key_that_is_there() {
    let portal = Portal::build(&binary()).prepare();
    let names = ["--san", "dns:*.example.com", "--san", "ip:192.0.2.1"];
    let server =
        [&["cert", "request", "--for", "server", "--key-type", "rsa-3072", "--out", "tls"][..], &names]
            .concat();
    portal.countersign(&server).ok();
    let read =
        openssl(&portal, &["req", "-in", "tls/wildcard.example.com.csr", "-noout", "-verify", "-text"]);
    for word in ["TLS Web Server Authentication", "DNS:*.example.com, IP Address:192.0.2.1", "(3072 bit)"] {
        assert!(read.contains(word), "{word}: {read}");
    }
    assert!(read.contains("Subject Alternative Name: critical"), "no subject beside it: {read}");

    let renewed = ["cert", "request", "--subject", "CN=again", "--key", "tls/wildcard.example.com.key"];
    let made = portal.countersign(&[&renewed[..], &["--json"]].concat()).ok().json();
    assert_eq!(made["key_file"], "tls/wildcard.example.com.key");
    let key = |args: &[&str]| openssl(&portal, args);
    assert_eq!(
        key(&["req", "-in", "again.csr", "-noout", "-pubkey"]),
        key(&["pkey", "-in", "tls/wildcard.example.com.key", "-pubout"])
    );
    assert!(!portal.sandbox.dir().join("again.key").exists());
}

#[test]
fn what_cannot_be_asked_for_is_refused_and_nothing_is_written() {
    let portal = Portal::build(&binary()).prepare();
    for (args, word) in [
        (&["--for", "server", "--subject", "CN=www.example.com"][..], "--san dns:"),
        (&["--for", "server", "--san", "email:a@example.com"], "DNS names"),
        (&["--san", "dns:*.example.com"], "wildcard"),
        (&["--san", "dns:a b"], "lower-case"),
        (&["--san", "example.com"], "dns:"),
        (&["--subject", "svc-1"], "RFC 4514"),
        (&[], "--subject"),
        (&["--subject", "CN=x", "--key", "missing.key"], "missing.key"),
    ] {
        let refused =
            portal.countersign(&[&["cert", "request", "--out", "made"][..], args].concat()).refused();
        assert!(refused.stderr.contains(word), "{args:?}: {}", refused.story());
    }
    assert!(!portal.sandbox.dir().join("made").exists());
}

#[test]
fn a_key_is_certified_for_one_party_and_never_after_its_compromise() {
    let portal = Portal::build(&binary()).prepare();
    portal.countersign(&["cert", "request", "--subject", "CN=svc"]).ok();
    let add = |party: &str, out: &str| {
        portal.countersign(&["party", "add", party, "--csr", "svc.csr", "--out", out])
    };
    add("svc", "first").ok();
    add("svc", "second").ok();
    let refused = add("mallory", "third").exited(1);
    assert!(refused.stderr.contains("the key is one of party `svc`"), "{}", refused.story());
    assert!(refused.stderr.contains("help: Make a new key"), "{}", refused.story());

    portal.countersign(&["party", "revoke", "svc", "--reason", "key-compromise"]).ok();
    let refused = add("svc", "fourth").exited(1);
    assert!(refused.stderr.contains("revoked as compromised on"), "{}", refused.story());
    let server = ["ca", "issue", "--san", "dns:localhost", "--csr", "svc.csr", "--out", "fifth"];
    let refused = portal.countersign(&server).exited(1);
    assert!(refused.stderr.contains("revoked as compromised on"), "{}", refused.story());
    for out in ["third", "fourth", "fifth"] {
        let written = std::fs::read_dir(portal.sandbox.dir().join(out)).map_or(0, Iterator::count);
        assert_eq!(written, 0, "{out}");
    }
}
