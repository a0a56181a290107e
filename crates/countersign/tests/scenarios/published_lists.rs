//! Lists that anybody fetches without TLS, whole and in parts, where the certificates say; openssl and GnuTLS read them.

use std::process::Command;
use std::time::Duration;

use testkit::{Conn, Portal, block_on, free_port, openssl, process};

use crate::support::{binary, eventually};

/// A portal whose certificates say where lists and OCSP are, with `parts` parts.
fn portal(http: u16, parts: u8) -> Portal {
    let built = Portal::build(&binary())
        .server_line(&format!("http = [\"127.0.0.1:{http}\"]"))
        .server_line(&format!("http_url = \"http://127.0.0.1:{http}\""))
        .server_line(&format!("crl_shards = {parts}"));
    let names = ["alice", "bob", "carol", "dave", "erin"];
    let portal = names.into_iter().fold(built, |built, name| built.party(name)).start();
    portal.sandbox.write("client-ca.pem", portal.sandbox.read("state/ca/client.pem"));
    portal
}

/// The address after this word in the certificate.
fn address(portal: &Portal, name: &str, before: &str) -> String {
    let args = ["x509", "-in", &format!("{name}.pem"), "-noout", "-text"];
    let text = openssl(portal.sandbox.dir(), &args, b"").ok().both();
    let at = text.find(before).unwrap_or_else(|| panic!("{before} in\n{text}"));
    let rest = &text[at..];
    let from = rest.find("URI:").unwrap() + 4;
    rest[from..].lines().next().unwrap().trim().to_owned()
}

/// What is given out at this address.
fn fetched(http: u16, url: &str) -> Vec<u8> {
    let path =
        url.strip_prefix(&format!("http://127.0.0.1:{http}")).unwrap_or_else(|| panic!("{url}")).to_owned();
    let answer =
        block_on(async { Conn::plain(http, "127.0.0.1").await.unwrap().get(&path, &[]).await.unwrap() });
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/pkix-crl")), "{url}");
    answer.body
}

fn text(portal: &Portal, list: &str) -> String {
    let args = ["crl", "-inform", "DER", "-in", list, "-CAfile", "client-ca.pem", "-noout", "-text"];
    let text = openssl(portal.sandbox.dir(), &args, b"").ok().both();
    assert!(text.contains("verify OK"), "{text}");
    text
}

fn number(text: &str) -> u64 {
    let rest = text.split("X509v3 CRL Number:").nth(1).unwrap_or_else(|| panic!("{text}"));
    rest.trim().lines().next().unwrap().trim().parse().unwrap()
}

/// What openssl says of a certificate, with the list that it names.
fn judged(portal: &Portal, http: u16, name: &str) -> String {
    let list = fetched(http, &address(portal, name, "X509v3 CRL Distribution Points"));
    portal.sandbox.write("its.crl", examiner::cert::pem::encode("X509 CRL", &list));
    let leaf = format!("{name}.pem");
    let args = [
        "verify",
        "-x509_strict",
        "-crl_check",
        "-CRLfile",
        "its.crl",
        "-CAfile",
        "ca.pem",
        "-untrusted",
        "client-ca.pem",
        &leaf,
    ];
    openssl(portal.sandbox.dir(), &args, b"").both()
}

fn serial(portal: &Portal, name: &str) -> String {
    let pem = portal.sandbox.read(&format!("{name}.pem"));
    examiner::cert::pem::certificates(pem.as_bytes()).unwrap()[0].serial_hex()
}

/// Lets the next list be published without the pause between two: the last one was made a while ago.
fn forget_the_pause(portal: &Portal) {
    let mut about: serde_json::Value =
        serde_json::from_str(&portal.sandbox.read("state/crl/own.json")).unwrap();
    about["at"] = "2026-01-01T00:00:00Z".into();
    portal.sandbox.write("state/crl/own.json", about.to_string());
}

#[test]
fn a_certificate_names_its_part_of_the_list_and_who_answers_for_it() {
    let http = free_port();
    let portal = portal(http, 3);
    for name in ["alice", "bob", "carol", "dave", "erin"] {
        let part = &serial(&portal, name)[..2];
        assert!(["01", "02", "03"].contains(&part), "{part}");
        let list = address(&portal, name, "X509v3 CRL Distribution Points");
        assert!(list.ends_with(&format!("-{}.crl", part.trim_start_matches('0'))), "{list}");
        assert_eq!(address(&portal, name, "OCSP - URI"), format!("http://127.0.0.1:{http}/ocsp"));
        assert!(judged(&portal, http, name).contains(": OK"), "{}", judged(&portal, http, name));
    }
    let before = number(&text(&portal, "state/crl/own.crl"));
    forget_the_pause(&portal);
    portal.countersign(&["party", "revoke", "alice", "--reason", "superseded"]).ok();
    let refused = eventually("alice on her part of the list", || {
        Some(judged(&portal, http, "alice")).filter(|said| said.contains("certificate revoked"))
    });
    assert!(!refused.contains(": OK"), "{refused}");
    assert!(judged(&portal, http, "bob").contains(": OK"));

    // The whole list has her too, and no part but hers.
    let mut having = Vec::new();
    let lists = std::fs::read_dir(portal.sandbox.path("state/crl")).unwrap().flatten();
    for name in
        lists.map(|entry| entry.file_name().into_string().unwrap()).filter(|name| name.ends_with(".crl"))
    {
        let path = format!("state/crl/{name}");
        let args = ["crl", "-inform", "DER", "-in", &path, "-noout", "-text"];
        let shown = openssl(portal.sandbox.dir(), &args, b"").ok().both();
        let is_part = shown.contains("X509v3 Issuing Distribution Point: critical");
        assert_eq!(is_part, name.matches('-').count() == 2, "{name}\n{shown}");
        if shown.to_lowercase().contains(&serial(&portal, "alice")) {
            having.push(is_part);
        }
    }
    having.sort_unstable();
    assert_eq!(having, [false, false, true], "own.crl, the same by its generation's name, and her part");
    assert!(number(&text(&portal, "state/crl/own.crl")) > before);

    let list = std::fs::read(portal.sandbox.path("state/crl/own.crl")).unwrap();
    portal.sandbox.write("own.pem", examiner::cert::pem::encode("X509 CRL", &list));
    let mut gnutls = Command::new("certtool");
    gnutls.current_dir(portal.sandbox.dir()).args(["--verify-crl", "--infile", "own.pem"]);
    gnutls.arg("--load-ca-certificate=client-ca.pem");
    let said = process::run(&mut gnutls, b"", Duration::from_secs(60));
    assert!(said.both().contains("Verification output: Verified"), "{}", said.story());
}

#[test]
fn a_list_that_is_not_divided_is_named_whole_and_a_changed_address_leaves_the_parts_right() {
    let http = free_port();
    let mut portal = portal(http, 1);
    let list = address(&portal, "alice", "X509v3 CRL Distribution Points");
    assert_eq!(list.matches('-').count(), 1, "{list}");
    assert!(judged(&portal, http, "alice").contains(": OK"));
    assert_eq!(fetched(http, &list), fetched(http, &format!("http://127.0.0.1:{http}/crl/own.crl")));

    // From now on in parts, under one address and then another.
    let config = portal.sandbox.read("countersign.toml").replace("crl_shards = 1", "crl_shards = 2");
    portal.sandbox.write("countersign.toml", &config);
    portal.countersign(&["party", "add", "frank", "--pem", "--out", "."]).ok();
    let other = config
        .replace(&format!("http_url = \"http://127.0.0.1:{http}\""), "http_url = \"http://lists.test\"");
    portal.stop_gate();
    forget_the_pause(&portal);
    portal.start_gate();
    portal.stop_gate();
    portal.sandbox.write("countersign.toml", other);
    forget_the_pause(&portal);
    portal.start_gate();
    for name in ["alice", "frank"] {
        let said = eventually("its list", || Some(judged(&portal, http, name)));
        assert!(said.contains(": OK"), "{name}: {said}");
    }
}

#[test]
fn the_list_of_the_operators_is_given_out_with_the_reason() {
    let http = free_port();
    let portal = portal(http, 1);
    portal.countersign(&["operator", "add", "carla", "--out", "."]).ok();
    forget_the_pause(&portal);
    portal.countersign(&["operator", "revoke", "carla"]).ok();
    let serial = serial(&portal, "carla");
    let shown = eventually("her entry", || {
        let list = fetched(http, &format!("http://127.0.0.1:{http}/crl/own-operators.crl"));
        portal.sandbox.write("operators.crl", list);
        let args = [
            "crl",
            "-inform",
            "DER",
            "-in",
            "operators.crl",
            "-CAfile",
            "state/ca/operator.pem",
            "-noout",
            "-text",
        ];
        let shown = openssl(portal.sandbox.dir(), &args, b"").ok().both();
        shown.to_lowercase().contains(&serial).then_some(shown)
    });
    assert!(shown.contains("verify OK") && shown.contains("Privilege Withdrawn"), "{shown}");
}

#[test]
fn an_address_that_leads_nowhere_is_refused_with_its_place() {
    let portal = Portal::build(&binary()).prepare();
    let config = portal.sandbox.read("countersign.toml");
    for (lines, expected) in [
        ("http_url = \"https://pki.test\"", "no address of a host without TLS"),
        ("http_url = \"http://pki.test\"\ncrl_shards = 0", "crl_shards is 1 to 127"),
        ("http_url = \"http://pki.test\"\ncrl_shards = 128", "crl_shards is 1 to 127"),
        ("crl_shards = 4", "crl_shards without http_url"),
    ] {
        portal.sandbox.write("countersign.toml", config.replace("[server]", &format!("[server]\n{lines}")));
        let refused = portal.countersign(&["validate"]).exited(3);
        assert!(refused.both().contains(expected), "{}", refused.story());
    }
}
