//! Certificates that are odd in order, dates or numbers.

use std::time::Duration;

use testkit::times::at;
use testkit::{Leaf, Portal, TestCa, openssl};

use crate::support::{SITE, assert_alive, binary, block_on};

/// A portal, not started, at which everybody from `acme` is welcome.
pub fn with_acme(acme: &TestCa) -> Portal {
    let portal = Portal::build(&binary()).file("acme.pem", acme.pem()).party("alice").prepare();
    portal.countersign(&["ca", "add", "acme.pem", "--name", "acme", "--site", SITE, "--accept-any"]).ok();
    portal
}

#[test]
fn a_certificate_behind_a_strangers_own_is_nobodys_identity() {
    for how in ["page", "handshake"] {
        let portal = Portal::build(&binary()).on_refuse(how).party("alice").start();
        let stranger = Leaf::new("alice").self_signed();
        let both = stranger.pem.clone() + &portal.sandbox.read("alice.pem");
        let client = portal.client().showing_pem(&both, &stranger.key_pem);
        let answer = block_on(client.knock(portal.port, SITE, "/"));
        if how == "page" {
            // Whether alice's certificate is taken for an issuer's or for nothing: no chain leads anywhere.
            let answer = answer.unwrap();
            assert_eq!(answer.status, 403);
            assert!(["unknown-issuer", "chain-invalid"].contains(&answer.code().as_str()), "{answer:?}");
        } else {
            assert!(answer.unwrap_err().alert.is_some());
        }
        let turned = portal.sandbox.read("alice.pem") + &stranger.pem;
        let client = portal.client().showing_pem(&turned, &stranger.key_pem);
        assert!(block_on(client.knock(portal.port, SITE, "/")).is_err(), "alice's certificate, another key");
        assert_eq!(portal.echo.count(), 0);
        let client = portal.client().showing_pem(&turned, &portal.sandbox.read("alice.key"));
        assert_eq!(
            block_on(client.knock(portal.port, SITE, "/")).unwrap().status,
            200,
            "what follows is ignored"
        );
        assert_eq!(portal.echo.last().all("countersign-party"), ["alice"]);
    }
}

#[test]
fn dates_on_both_sides_of_2050_are_read_right() {
    let acme = TestCa::build("Acme CA").valid(at("1951-01-01"), at("9999-12-31T23:59:59Z")).root();
    let mut portal = with_acme(&acme);
    portal.start_gate();
    let ask = |begins: &str, ends: &str| {
        let cert = Leaf::new("dated").valid(at(begins), at(ends)).issued_by(&acme);
        block_on(portal.client().showing(&cert).knock(portal.port, SITE, "/")).unwrap()
    };
    for (begins, ends) in [
        ("2020-01-01", "9999-12-31T23:59:59Z"),
        ("2020-01-01", "2049-12-31T23:59:59Z"),
        ("2020-01-01", "2050-01-01T00:00:00Z"),
        ("1970-01-01", "2051-01-01T00:00:00Z"),
    ] {
        assert_eq!(ask(begins, ends).status, 200, "{begins} to {ends}");
    }
    let admitted = portal.echo.count();
    for (begins, ends, code) in [
        ("1971-01-01", "1999-12-31T23:59:59Z", "expired"),
        ("1971-01-01", "2000-01-01T00:00:00Z", "expired"),
        ("2049-12-31T23:59:59Z", "2060-01-01", "not-yet-valid"),
        ("2050-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "not-yet-valid"),
    ] {
        let answer = ask(begins, ends);
        assert_eq!((answer.status, answer.code().as_str()), (403, code), "{begins} to {ends}");
    }
    assert_eq!(ask("1951-01-01", "2051-01-01").status, 403, "a beginning before 1970 is nobody's");
    assert_eq!(portal.echo.count(), admitted);
}

#[test]
fn odd_serial_numbers_end_nothing_and_are_not_cut() {
    let acme = TestCa::new("Acme CA");
    let portal = Portal::build(&binary()).file("acme.pem", acme.pem()).party("alice").prepare();
    let dir = portal.sandbox.dir().to_path_buf();
    let mut long = [0x11; 30];
    Leaf::new("long").serial(&long).issued_by(&acme).write(&dir, "long");
    long[29] = 0x12;
    Leaf::new("long").serial(&long).issued_by(&acme).write(&dir, "longer");
    for (name, serial) in [("negative", "-5"), ("zero", "0")] {
        let (cert, key) = (format!("{name}.pem"), format!("{name}.key"));
        let args = [
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=odd",
            "-days",
            "10",
            "-set_serial",
            serial,
            "-out",
            &cert,
            "-keyout",
            &key,
            "-addext",
            "extendedKeyUsage=clientAuth",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ];
        openssl(&dir, &args, b"").ok();
    }
    let add = ["party", "add", "longhand", "--cert", "long.pem", "--pin", "cert", "--site", SITE];
    portal.countersign(&add).ok();
    for name in ["negative", "zero"] {
        let file = format!("{name}.pem");
        let shown = portal.countersign(&["cert", "thumbprint", &file]);
        assert!((0..=3).contains(&shown.code) && !shown.stderr.contains("panicked"), "{}", shown.story());
    }
    let mut portal = portal;
    portal.start_gate();
    assert_eq!(portal.curl(Some("long"), "/", &[]).status, 200);
    assert_eq!(portal.echo.count(), 1);
    for name in ["longer", "negative", "zero"] {
        let answer = block_on(portal.client_as(name).knock(portal.port, SITE, "/")).unwrap();
        assert_eq!(answer.status, 403, "{name}");
    }
    assert_eq!(portal.echo.count(), 1);
    assert_alive(&mut portal);
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
}

#[test]
fn an_expiry_ends_what_runs_and_refuses_what_follows() {
    let acme = TestCa::new("Acme CA");
    let mut portal = with_acme(&acme);
    portal.start_gate();
    let short = Leaf::new("short").valid_from_now(-3600, 4).issued_by(&acme);
    let client = portal.client().showing(&short);
    block_on(async {
        let mut kept = client.connect(portal.port, SITE).await.unwrap();
        assert_eq!(kept.get("/", &[]).await.unwrap().status, 200);
        let h2 = client.connect_h2(portal.port, SITE).await.unwrap();
        assert_eq!(h2.get("/", &[]).await.unwrap().status, 200);
        let mut download = client.connect(portal.port, SITE).await.unwrap();
        download.send_request("GET", "/slow-stream?ms=200&chunks=300", &[], b"").await.unwrap();
        assert_eq!(download.read_head().await.unwrap().status, 200);
        let before = portal.echo.count();
        assert_eq!(before, 3);

        assert!(download.ended_within(Duration::from_secs(7)).await.is_some(), "the download goes on");
        assert!(testkit::times::clock() >= short.facts().not_after, "it ended before its time");
        tokio::time::sleep(Duration::from_secs(1)).await;
        if let Ok(answer) = kept.get("/", &[]).await {
            assert_eq!(answer.code(), "expired");
        }
        if let Ok(answer) = h2.get("/", &[]).await {
            assert_eq!(answer.code(), "expired");
        }
        assert_eq!(client.knock(portal.port, SITE, "/").await.unwrap().code(), "expired");
        assert_eq!(portal.echo.count(), before);
        assert_eq!(portal.echo.open_streams(), 0, "the upstream was told");
    });
}

#[test]
fn a_thumbprint_names_one_certificate_whole_or_none() {
    let portal = Portal::build(&binary()).party("alice").party("bob").prepare();
    let thumbprint = |name: &str| {
        let pem = portal.sandbox.read(&format!("{name}.pem"));
        examiner::cert::pem::certificates(pem.as_bytes()).unwrap()[0].thumbprint.to_string()
    };
    let alice = thumbprint("alice");
    for wrong in [
        alice[..40].to_owned(),
        alice[..63].to_owned(),
        format!("{alice}0"),
        thumbprint("bob"),
        format!("%{}%", &alice[1..62]),
        "' or '1'='1".to_owned(),
    ] {
        let refused = portal.countersign(&["party", "revoke", "alice", "--cert", &wrong]);
        assert_ne!(refused.code, 0, "{wrong}: {}", refused.story());
    }
    let mut portal = portal;
    portal.start_gate();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    let pairs: Vec<&str> = (0..32).map(|at| &alice[2 * at..2 * at + 2]).collect();
    let windows = format!("\u{200e}{}", pairs.join(":").to_uppercase());
    let whole = portal.countersign(&["party", "revoke", "alice", "--cert", &windows]);
    assert_ne!(whole.code, 3, "{}", whole.story());
    assert_eq!(portal.curl(Some("alice"), "/", &[]).json()["code"], "revoked");
    assert_eq!(portal.curl(Some("bob"), "/", &[]).status, 200);
}

#[test]
fn a_ca_of_the_public_stores_is_never_trusted_as_a_whole() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
    let root = roots.iter().find(|der| examiner::Certificate::from_der(der).is_ok()).unwrap();
    portal.sandbox.write("root.pem", examiner::cert::pem::encode("CERTIFICATE", root));
    let add = ["ca", "add", "root.pem", "--name", "world", "--site", SITE];
    let refused = portal.countersign(&[&add[..], &["--accept-any"]].concat());
    assert_eq!(refused.code, 3, "{}", refused.story());
    assert!(refused.both().contains("public root store"), "{}", refused.story());
    let listed = portal.countersign(&["ca", "list", "--json"]).ok();
    assert!(!listed.stdout.contains("world"), "it was saved: {}", listed.story());

    // The same in the file, at the start and at a reload.
    let config = portal.sandbox.read("countersign.toml");
    let world = format!("\n[ca.world]\nfile = \"root.pem\"\nsites = [\"{SITE}\"]\n");
    portal.sandbox.write("countersign.toml", format!("{config}{world}accept_any = true\n"));
    portal.countersign(&["validate"]).exited(3);
    let refused = portal.countersign(&["run"]).exited(3);
    assert!(!refused.stderr.contains("ready"), "{}", refused.story());
    portal
        .sandbox
        .write("countersign.toml", format!("{config}{world}match = [\"san:dns=*.acme.example\"]\n"));
    portal.countersign(&["validate"]).ok();
    let mut portal = portal;
    portal.start_gate();
    portal.sandbox.write("countersign.toml", format!("{config}{world}accept_any = true\n"));
    portal.countersign(&["reload"]).exited(3);
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
}

#[test]
fn a_revocation_outlives_the_gate_and_a_renewal() {
    let mut portal = Portal::build(&binary()).party("alice").party("bob").start();
    portal.countersign(&["party", "revoke", "alice"]).ok();
    for _ in 0..2 {
        assert_eq!(portal.curl(Some("alice"), "/", &[]).json()["code"], "revoked");
        assert_eq!(portal.curl(Some("bob"), "/", &[]).status, 200);
        assert_eq!(portal.stop_gate(), 0);
        portal.start_gate();
    }
    // A new certificate of the same party does not bring the old one back.
    for kind in ["pem", "key", "p12"] {
        let path = |name: &str| portal.sandbox.path(&format!("{name}.{kind}"));
        std::fs::rename(path("alice"), path("old")).unwrap();
    }
    portal.add_party("alice");
    // A gate follows within a second.
    let entered = (0..40).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        portal.curl(Some("alice"), "/", &[]).status == 200
    });
    assert!(entered, "the new certificate enters");
    assert_eq!(portal.curl(Some("old"), "/", &[]).json()["code"], "revoked");
    let own = portal.countersign(&["ca", "crl", "--out", "own.crl"]).ok();
    let text = testkit::openssl(
        portal.sandbox.dir(),
        &["crl", "-inform", "DER", "-in", "own.crl", "-noout", "-text"],
        b"",
    );
    let serial =
        examiner::cert::pem::certificates(portal.sandbox.read("old.pem").as_bytes()).unwrap()[0].serial_hex();
    assert!(text.ok().stdout.to_lowercase().contains(&serial), "{}", own.story());
}
