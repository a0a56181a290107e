//! Which versions a server speaks, and the other forms of a report.

use super::*;

#[test]
fn a_server_of_one_version_is_seen_whole() {
    let bench = Bench::new();
    let server = bench.serve("www", "www", &["-tls1_3"]);
    let report = bench.report(server.port, &[]);
    assert_eq!(report["verdict"], "right", "{report:#}");
    let server = bench.serve("www", "www", &["-tls1_2"]);
    let report = bench.report(server.port, &[]);
    assert_eq!(report["chain"].as_array().unwrap().len(), 3, "{report:#}");
    assert!(ids(&report).contains(&"no-tls13"), "{report:#}");
    assert!(
        sentence(&report)
            .starts_with("Clients take it, with a warning: the host speaks TLS 1.2 and no TLS 1.3")
    );
}

#[test]
fn a_server_of_old_versions_shows_its_chain_all_the_same() {
    let bench = Bench::new();
    for (flag, version) in [("-tls1", "TLS 1.0"), ("-tls1_1", "TLS 1.1")] {
        let server = bench.serve("www", "www", &[flag, "-cipher", "ALL:@SECLEVEL=0"]);
        let report = bench.report(server.port, &[]);
        assert_eq!(report["chain"].as_array().unwrap().len(), 3, "{report:#}");
        let begin = format!("Every client refuses it: the host speaks {version} and nothing newer");
        assert!(sentence(&report).starts_with(&begin), "{report:#}");
        let found = report["findings"].as_array().unwrap();
        let old = found.iter().find(|one| one["id"] == "tls-version-old-only").unwrap();
        assert_eq!((&old["role"], &old["index"]), (&"host".into(), &Value::Null));
    }
}

#[test]
fn every_form_of_report_tells_of_the_host() {
    let bench = Bench::new();
    let server = bench.serve("www", "www", &["-tls1_2"]);
    for (format, part) in [
        ("html", "<h2>The host</h2>"),
        ("markdown", "## The host"),
        ("sarif", "\"ruleId\": \"no-tls13\""),
        ("junit", "the host"),
    ] {
        let told = bench.check(server.port, &["--format", format]).exited(0);
        assert!(told.stdout.contains(part), "{part}\n{}", told.story());
    }
}

#[test]
fn the_name_that_is_sent_can_be_another() {
    let bench = Bench::new();
    bench.leaf("second", testkit::Leaf::server("second.look.example"));
    let more = ["-servername", "second.look.example", "-cert2", "second.pem", "-key2", "second.key"];
    let server = bench.serve("www", "www", &more);
    let first = bench.report(server.port, &[]);
    assert_eq!(first["verdict"], "right", "{first:#}");
    let second = bench.report(server.port, &["--servername", "second.look.example"]);
    assert_eq!(second["host"]["servername"], "second.look.example");
    assert!(second["chain"][0]["subject"].as_str().unwrap().contains("second.look.example"), "{second:#}");
    assert!(!ids(&second).contains(&"hostname-mismatch"), "{second:#}");
}

/// A list of two timestamps of logs that do not exist, as `openssl s_server` sends it in both versions.
#[test]
fn timestamps_in_the_handshake_are_counted_under_each_version() {
    let bench = Bench::new();
    let one = [&[0][..], &[7; 32], &1_775_001_600_000u64.to_be_bytes(), &[0, 0, 4, 3, 0, 2, 8, 8]].concat();
    let vector = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
    let list = vector(&[vector(&one), vector(&one)].concat());
    // ClientHello, ServerHello of TLS 1.2, Certificate of TLS 1.3; not on resumption.
    let info = [&[0, 0, 0x11, 0xc0, 0, 18][..], &vector(&list)].concat();
    let base64 = data_encoding::BASE64.encode(&info);
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let name = "SERVERINFOV2 FOR TIMESTAMPS";
    let pem = format!("-----BEGIN {name}-----\n{}\n-----END {name}-----\n", lines.join("\n"));
    bench.sandbox.write("info.pem", pem);
    let server = bench.serve("www", "www", &["-serverinfo", "info.pem"]);
    let report = bench.report(server.port, &[]);
    let handshakes = report["host"]["addresses"][0]["handshakes"].as_array().unwrap();
    let counts: Vec<_> = handshakes.iter().map(|one| one["timestamps"].as_u64()).collect();
    assert_eq!(counts, [Some(2), Some(2)], "{report:#}");
    let server = bench.serve("www", "www", &[]);
    let report = bench.report(server.port, &[]);
    let handshakes = report["host"]["addresses"][0]["handshakes"].as_array().unwrap();
    assert!(handshakes.iter().all(|one| one["timestamps"] == 0), "{report:#}");
}

#[test]
fn what_a_client_gets_that_sends_no_name_is_compared() {
    let bench = Bench::new();
    bench.leaf("second", testkit::Leaf::server("second.look.example"));
    let more = ["-servername", HOST, "-cert2", "www.pem", "-key2", "www.key"];
    for version in ["-tls1_2", "-tls1_3"] {
        let server = bench.serve("second", "second", &[&more[..], &[version]].concat());
        let report = bench.report(server.port, &[]);
        let found = report["findings"].as_array().unwrap().iter();
        let found = found.filter(|one| one["id"] == "sni-vs-no-sni-certificate");
        let said: Vec<&str> = found.map(|one| one["observed"].as_str().unwrap()).collect();
        assert_eq!(said.len(), 1, "{version} {report:#}");
        assert!(said[0].contains("second.look.example"), "{said:?}");
    }
    let server = bench.serve("www", "www", &[]);
    assert!(!ids(&bench.report(server.port, &[])).contains(&"sni-vs-no-sni-certificate"));
}

/// A look at these ports of one host.
fn compared(bench: &Bench, ports: &[u16]) -> Value {
    let places: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    let mut args = vec!["check", HOST, "--private", "--roots", "root.pem", "--json"];
    places.iter().for_each(|place| args.extend(["--connect", place]));
    bench.sandbox.countersign(&args).json()
}

#[test]
fn the_addresses_of_a_host_are_compared() {
    let bench = Bench::new();
    bench.leaf("second", testkit::Leaf::server(HOST));
    let (one, same) = (bench.serve("www", "www", &[]), bench.serve("www", "www", &[]));
    let other = bench.serve("second", "second", &[]);
    let report = compared(&bench, &[one.port, same.port, one.port]);
    assert_eq!(report["verdict"], "right", "{report:#}");
    // An address that is named twice is looked at once.
    assert_eq!(report["host"]["addresses"].as_array().unwrap().len(), 2, "{report:#}");

    let reports = compared(&bench, &[one.port, other.port]);
    let first = &reports[0];
    assert!(ids(first).contains(&"chain-differs-by-address-or-sni"), "{reports:#}");
    // Each chain has a report of its own.
    let at = format!("another chain, at 127.0.0.1:{}", other.port);
    assert!(reports[1]["file"].as_str().unwrap().ends_with(&at), "{reports:#}");

    // One that does not answer is a warning while another does.
    let report = compared(&bench, &[one.port, testkit::free_port()]);
    assert_eq!(report["verdict"], "warnings", "{report:#}");
    assert!(ids(&report).contains(&"address-does-not-answer"), "{report:#}");
}
