//! Too much of everything: in a client's certificate message, and in a request beyond the limits that were set.

use testkit::{Leaf, Portal};

use crate::support::{SITE, assert_alive, binary, block_on};

#[test]
fn more_than_ten_certificates_or_64_kb_end_the_handshake() {
    let mut portal = Portal::start(&binary());
    let chain = portal.sandbox.read("alice.pem");
    let key = portal.sandbox.read("alice.key");
    let cut = chain.rfind("-----BEGIN").unwrap();
    let (leaf, above) = chain.split_at(cut);
    let port = portal.port;
    let ask = |pem: String, key: &str| {
        let client = portal.client().showing_pem(&pem, key);
        let newer = block_on(client.clone().tls13().knock(port, SITE, "/"));
        let older = block_on(client.tls12().knock(port, SITE, "/"));
        [newer, older]
    };
    for answer in ask(leaf.to_owned() + &above.repeat(9), &key) {
        assert_eq!(answer.unwrap().status, 200, "ten are taken");
    }
    assert_eq!(portal.echo.count(), 2);
    for count in [10, 100] {
        for answer in ask(leaf.to_owned() + &above.repeat(count), &key) {
            assert!(answer.is_err(), "{count} above the leaf: {answer:?}");
        }
    }
    let fat = Leaf::new("fat").extension("1.3.6.1.4.1.55555.1.2", false, &[0; 66_000]).self_signed();
    for answer in ask(fat.pem.clone(), &fat.key_pem) {
        assert!(answer.is_err(), "66 kB: {answer:?}");
    }
    assert_eq!(portal.echo.count(), 2);
    assert_alive(&mut portal);
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
}

#[test]
fn no_certificate_however_odd_ends_the_gate() {
    let mut portal = Portal::start(&binary());
    let port = portal.port;
    let der = examiner::cert::pem::certificates(portal.sandbox.read("alice.pem").as_bytes()).unwrap()[0]
        .der
        .to_vec();
    let key = portal.sandbox.read("alice.key");
    let mut odd: Vec<(String, String)> = [
        Leaf::new("empty usage").empty_usage(),
        Leaf::new("no bits").key_usage(&[]).extension("2.5.29.15", true, &[3, 1, 0]),
        Leaf::new("no names").extension("2.5.29.17", false, &[0x30, 0]),
        Leaf::new("endless").extension("2.5.29.17", false, &[0x30, 0x80]),
        Leaf::new("nested").extension("2.5.29.30", true, &[0x30; 200]),
        Leaf::new("policies").extension("2.5.29.32", true, &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
        Leaf::new("points").extension("2.5.29.31", false, b"\x30\x03\x30\x01\xa0"),
    ]
    .iter()
    .map(|leaf| leaf.self_signed())
    .map(|cert| (cert.pem, cert.key_pem))
    .collect();
    for at in (4..der.len()).step_by(9) {
        let mut changed = der.clone();
        changed[at] ^= 0x55;
        odd.push((examiner::cert::pem::encode("CERTIFICATE", &changed), key.clone()));
    }
    for cut in [1, 50, 200] {
        let short = &der[..der.len() - cut];
        odd.push((examiner::cert::pem::encode("CERTIFICATE", short), key.clone()));
    }
    for (pem, key) in &odd {
        let client = portal.client().showing_pem(pem, key);
        let answer = block_on(client.knock(port, SITE, "/"));
        assert!(!answer.is_ok_and(|answer| answer.status == 200), "{pem}");
    }
    assert_eq!(portal.echo.count(), 0);
    assert_alive(&mut portal);
    // As many connections as there may be workers, each answered.
    for _ in 0..16 {
        assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    }
}

#[test]
fn the_limits_of_the_configuration_are_those_of_the_gate() {
    let portal = Portal::build(&binary())
        .extra_toml("[limits]\nheader_fields = 10\nstrangers_per_minute = 1\n")
        .party("alice")
        .start();
    let shown = portal.countersign(&["config", "show", "--json"]).ok().json();
    assert_eq!(
        (&shown["limits"]["header_fields"], &shown["limits"]["idle_seconds"]),
        (&10.into(), &75.into())
    );

    let names: Vec<String> = (0..11).map(|n| format!("x-{n}")).collect();
    let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    block_on(async {
        let h2 = portal.client_as("alice").connect_h2(portal.port, SITE).await.unwrap();
        assert_eq!(h2.get("/", &fields).await.unwrap().status, 431);
        assert_eq!(portal.echo.count(), 0);
        assert_eq!(h2.get("/", &fields[..10]).await.unwrap().status, 200);
    });

    assert_eq!(portal.curl(None, "/", &[]).status, 403);
    let above = block_on(portal.client().knock(portal.port, SITE, "/")).unwrap_err();
    assert_eq!(above.alert, Some(116));
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
}
