//! Too much of everything: in a client's certificate message, in a request beyond the limits that were set, in the
//! settings themselves.

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

#[test]
fn what_is_not_set_is_what_the_guide_says() {
    let portal = Portal::build(&binary()).prepare();
    let shown = portal.countersign(&["config", "show", "--json"]).ok().json();
    let limits = shown["limits"].as_object().unwrap();
    let wanted = [
        ("handshake_seconds", 10),
        ("request_header_seconds", 10),
        ("first_request_seconds", 30),
        ("idle_seconds", 75),
        ("upstream_connect_seconds", 5),
        ("upstream_first_byte_seconds", 60),
        ("upstream_idle_seconds", 60),
        ("websocket_idle_seconds", 3600),
        ("connections", 50_000),
        ("concurrent_handshakes", 1000),
        ("half_open_per_address", 50),
        ("stranger_share_percent", 10),
        ("strangers_per_minute", 20),
        ("stranger_seconds", 5),
        ("stranger_header_bytes", 16_384),
        ("http2_streams", 100),
        ("header_list_bytes", 65_536),
        ("header_fields", 100),
        ("client_certificates", 10),
        ("client_certificate_bytes", 65_536),
        ("upgrade_drain_seconds", 3600),
    ];
    assert_eq!(limits.len(), wanted.len(), "{limits:?}");
    for (name, number) in wanted {
        assert_eq!(limits[name], number, "{name}");
    }
    assert_eq!(shown["server"]["max_stale"], 86_400, "{shown:#}");
    let site = &shown["site"][SITE];
    assert_eq!((&site["clock_tolerance"], &site["refuse_status"]), (&0.into(), &403.into()), "{site:#}");
}

#[test]
fn a_number_that_may_be_set_ends_where_it_is_said_to() {
    let observe = |days: i64| {
        format!("mode = {{ observe_until = {} }}", testkit::times::clock().plus(days * 86_400).date())
    };
    let portal = Portal::build(&binary()).site_line("# of the site").server_line("# of the server").prepare();
    let file = portal.sandbox.read("countersign.toml");
    let validate = |place: &str, line: &str| {
        portal.sandbox.write("countersign.toml", file.replace(place, line));
        portal.countersign(&["validate"])
    };
    for (place, good, bad, what) in [
        ("# of the site", "clock_tolerance = \"300s\"", "clock_tolerance = \"301s\"", "300 seconds"),
        ("# of the site", "refuse_status = 400", "refuse_status = 399", "400 to 599"),
        ("# of the site", "refuse_status = 599", "refuse_status = 600", "400 to 599"),
        ("# of the site", &observe(29), &observe(32), "30 days"),
        ("# of the server", "max_stale = \"5s\"", "max_stale = \"4s\"", "5 seconds"),
    ] {
        let taken = validate(place, good);
        assert!([0, 1].contains(&taken.code), "{good}: {}", taken.story());
        let refused = validate(place, bad).exited(3);
        assert!(refused.both().contains(what), "{}", refused.story());
    }
}
