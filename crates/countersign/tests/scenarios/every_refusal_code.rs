use testkit::ca::Crl;
use testkit::{KeyType, Leaf, Portal, SClient, TestCa, TestCert, openssl_s_client};

use crate::support::binary;

/// A portal with everything that can go wrong, the gate not yet started.
struct Zoo {
    portal: Portal,
    /// File name of each visitor's certificate and the code it is refused with.
    visitors: Vec<(&'static str, &'static str)>,
}

fn zoo(on_refuse: &str) -> Zoo {
    let acme = TestCa::new("Acme CA");
    let known = acme.intermediate("Acme Known Sub CA");
    let bundle = format!("{}{}", acme.pem(), known.pem());
    let portal =
        Portal::build(&binary()).on_refuse(on_refuse).file("acme.pem", bundle).party("alice").prepare();
    portal
        .countersign(&["ca", "add", "acme.pem", "--name", "acme", "--site", "portal.test", "--accept-any"])
        .ok();
    let late = TestCa::new("Late CA");
    portal.sandbox.write("late.pem", late.pem());
    portal.sandbox.write("late.crl", Crl::new().updates_from_now(-7200, -3600).der(&late));
    let attach = ["ca", "add", "late.pem", "--name", "late", "--site", "portal.test", "--accept-any"];
    portal.countersign(&[&attach[..], &["--crl", "late.crl"]].concat()).ok();
    let dir = portal.sandbox.dir().to_path_buf();
    let mut visitors = Vec::new();
    let mut visitor = |name: &'static str, code: &'static str, cert: TestCert| {
        cert.write(&dir, name);
        visitors.push((name, code));
    };
    visitor("old", "expired", Leaf::new("old").ended_yesterday().issued_by(&acme));
    visitor("early", "not-yet-valid", Leaf::new("early").starts_tomorrow().issued_by(&acme));
    visitor("stranger", "unknown-issuer", Leaf::new("stranger").self_signed());
    visitor(
        "sql",
        "unknown-issuer",
        Leaf::new("x'; drop table parties; -- ${jndi:ldap://x}\"<b>").self_signed(),
    );
    let mut bare = known.issue("bare");
    bare.chain_pem = bare.pem.clone();
    visitor("bare", "chain-incomplete", bare);
    visitor("broken", "bad-signature", Leaf::new("broken").broken_signature().issued_by(&acme));
    visitor(
        "odd",
        "malformed",
        Leaf::new("odd").extension("2.5.29.17", false, &[0x30, 0x05, 0x82]).issued_by(&acme),
    );
    visitor("weak", "weak-key", Leaf::new("weak").key_type(KeyType::Rsa1024).issued_by(&acme));
    visitor("critical", "chain-invalid", Leaf::new("c").unknown_critical_extension().issued_by(&acme));
    visitor("server", "wrong-usage", Leaf::new("server").server_usage().issued_by(&acme));
    visitor("issuer", "wrong-usage", Leaf::new("issuer").is_ca().issued_by(&acme));
    visitor("unsure", "revocation-unknown", late.issue("unsure"));
    let add = |name: &str, more: &[&str]| {
        portal.countersign(&[&["party", "add", name, "--pem", "--out", "."], more].concat()).ok();
    };
    let granted = ["--site", "portal.test"];
    add("gone", &granted);
    portal.countersign(&["party", "revoke", "gone", "--reason", "key-compromise"]);
    add("unlisted", &[]);
    add("paused", &granted);
    portal.countersign(&["party", "suspend", "paused"]).ok();
    add("renewed", &granted);
    for file in ["pem", "key", "p12"] {
        std::fs::rename(dir.join(format!("renewed.{file}")), dir.join(format!("replaced.{file}"))).unwrap();
    }
    portal.countersign(&["party", "renew", "renewed", "--overlap", "0s", "--pem", "--out", "."]).ok();
    for (name, code) in [
        ("gone", "revoked"),
        ("unlisted", "not-allowed"),
        ("paused", "suspended"),
        ("replaced", "superseded"),
    ] {
        visitors.push((name, code));
    }
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let mut portal = portal;
    portal.start_gate();
    Zoo { portal, visitors }
}

fn s_client(portal: &Portal, name: &str, version: &str) -> SClient {
    let (cert, key) = (format!("{name}.pem"), format!("{name}.key"));
    let extra =
        ["-cert", &cert, "-key", &key, "-cert_chain", &cert, version, "-cipher", "DEFAULT@SECLEVEL=0"];
    openssl_s_client(portal.sandbox.dir(), portal.port, Some("portal.test"), &extra)
}

#[test]
fn each_code_is_told_on_a_page_site_and_the_upstream_sees_nothing() {
    let Zoo { portal, visitors } = zoo("page");
    for (name, code) in visitors {
        let problem = if name == "odd" {
            // curl does not load what it cannot read; rustls sends what it is given.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let client = portal.client_as(name);
            runtime.block_on(client.knock(portal.port, "portal.test", "/")).unwrap().json()
        } else if name == "weak" {
            // curl loads no weak key, whatever its cipher list says.
            let seen = s_client(&portal, name, "-tls1_3").output;
            let body = seen.lines().find_map(|line| line.find("{\"code\"").map(|at| line[at..].to_owned()));
            let body = body.unwrap_or_else(|| panic!("a problem document in: {seen}"));
            let end = body.rfind('}').expect("its end") + 1;
            serde_json::from_str(&body[..end]).expect("one document")
        } else {
            portal.curl(Some(name), "/", &[]).json()
        };
        assert_eq!(problem["status"], 403, "{name}: {problem}");
        assert_eq!(problem["code"], code, "{name}: {problem}");
        assert!(problem["thumbprint"].as_str().is_some_and(|t| t.len() == 64), "{name}: {problem}");
        if code == "weak-key" {
            assert!(problem.to_string().contains("1024"), "{problem}");
        }
    }
    assert_eq!(portal.echo.count(), 0);
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    assert_eq!(portal.curl(Some("renewed"), "/", &[]).status, 200);
}

#[test]
fn each_code_has_its_alert_on_a_strict_site() {
    let Zoo { portal, visitors } = zoo("handshake");
    for (name, code) in visitors {
        let expected = policy::Code::parse(code).unwrap().alert();
        for version in ["-tls1_3", "-tls1_2"] {
            let seen = s_client(&portal, name, version);
            assert_eq!(seen.alert, expected, "{name} ({code}) {version}: {}", seen.output);
        }
    }
    assert_eq!(portal.echo.count(), 0);
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
}

#[test]
fn a_policy_that_cannot_be_refreshed_refuses_everybody_in_the_end() {
    let portal = Portal::build(&binary()).server_line("max_stale = \"5s\"").party("alice").start();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    let database = portal.sandbox.path("state/registry.db");
    let moved = portal.sandbox.path("state/moved.db");
    std::fs::rename(&database, &moved).unwrap();
    std::fs::write(&database, b"this is no database, and long enough to be read as one: ................")
        .unwrap();
    let refused = crate::support::eventually("the stale policy refuses", || {
        let answer = portal.curl(Some("alice"), "/", &[]);
        (answer.status == 403).then_some(answer)
    });
    assert_eq!(refused.json()["code"], "policy-stale");
}
