//! What a look tells beside the chain: compression, a second certificate, the file that ought to be served, the key that
//! belongs to it, and timestamps in a stapled response.

use testkit::{KeyType, Leaf};

use super::*;

/// The TLS 1.3 handshake of a report's first address.
fn tls13(report: &Value) -> &Value {
    &report["host"]["addresses"][0]["handshakes"][1]
}

#[test]
fn whether_certificates_are_compressed_is_told() {
    let bench = Bench::new();
    let server = bench.serve("www", "www", &[]);
    let report = bench.report(server.port, &[]);
    assert_eq!(tls13(&report)["compression"]["how"], "none", "{report:#}");
    assert!(!ids(&report).contains(&"certificate-compression"), "{report:#}");
    let told = bench.check(server.port, &[]).exited(0);
    assert!(told.stdout.contains("are not compressed"), "{}", told.story());
}

/// Each certificate has a report of its own: the one that nobody looks at is the one that nobody renews.
#[test]
fn a_second_certificate_for_another_kind_of_key_is_examined_too() {
    let bench = Bench::new();
    bench.leaf("old", Leaf::server(HOST).key_type(KeyType::Rsa2048).ended_yesterday());
    for version in ["-tls1_3", "-tls1_2"] {
        let more = ["-dcert", "old.pem", "-dkey", "old.key", "-dcert_chain", "issuing.pem", version];
        let server = bench.serve("www", "www", &more);
        let reports = bench.check(server.port, &["--json"]).exited(1).json();
        let (first, second) = (&reports[0], &reports[1]);
        assert!(ids(first).contains(&"chain-differs-rsa-ecdsa"), "{version} {reports:#}");
        assert_ne!(first["verdict"], "errors", "{version} {reports:#}");
        assert_eq!(first["host"]["addresses"][0]["other_key"]["kind"], "RSA");
        assert!(second["file"].as_str().unwrap().contains("another chain"), "{reports:#}");
        assert!(ids(second).contains(&"expired"), "{version} {reports:#}");
    }
    let server = bench.serve("www", "www", &[]);
    assert!(!ids(&bench.report(server.port, &[])).contains(&"chain-differs-rsa-ecdsa"));
}

#[test]
fn a_file_that_was_renewed_and_not_read_again_is_told() {
    let bench = Bench::new();
    let server = bench.serve("www", "www", &[]);
    let same = bench.report(server.port, &["--expect", "www.pem", "--key", "www.key"]);
    assert_eq!(same["verdict"], "right", "{same:#}");
    bench.leaf("renewed", Leaf::server(HOST));
    let told = bench.check(server.port, &["--expect", "renewed.pem"]).exited(1);
    assert!(told.stdout.contains("(served-certificate-not-the-file)"), "{}", told.story());
    assert!(told.stdout.contains("systemctl reload"), "{}", told.story());
    let shorter = bench.report(server.port, &["--expect", "leaf.pem"]);
    assert_eq!(shorter["verdict"], "warnings", "{shorter:#}");
    bench.check(server.port, &["--expect", "missing.pem"]).exited(5);
    let file = bench.sandbox.countersign(&["check", "www.pem", "--expect", "www.pem"]).exited(2);
    assert!(file.stderr.contains("--expect is for a server"), "{}", file.story());
}

/// A host may have a certificate for each kind of key: the file is held against the one of its own kind.
#[test]
fn the_file_is_compared_with_the_certificate_of_its_kind_of_key() {
    let bench = Bench::new();
    bench.leaf("rsa", Leaf::server(HOST).key_type(KeyType::Rsa2048));
    let more = ["-dcert", "rsa.pem", "-dkey", "rsa.key", "-dcert_chain", "issuing.pem"];
    let server = bench.serve("www", "www", &more);
    for file in ["www", "rsa"] {
        let (pem, key) = (format!("{file}.pem"), format!("{file}.key"));
        bench.check(server.port, &["--expect", &pem, "--key", &key]).exited(0);
    }
    bench.leaf("renewed", Leaf::server(HOST).key_type(KeyType::Rsa2048));
    let reports = bench.check(server.port, &["--expect", "renewed.pem", "--json"]).exited(1).json();
    assert!(!ids(&reports[0]).contains(&"served-certificate-not-the-file"), "{reports:#}");
    assert!(ids(&reports[1]).contains(&"served-certificate-not-the-file"), "{reports:#}");
}

#[test]
fn the_key_of_another_certificate_is_told_of_a_server_too() {
    let bench = Bench::new();
    bench.leaf("other", Leaf::server(HOST));
    let server = bench.serve("www", "www", &[]);
    bench.check(server.port, &["--key", "www.key"]).exited(0);
    let told = bench.check(server.port, &["--key", "other.key"]).exited(1);
    assert!(told.stdout.contains("key-does-not-match-certificate"), "{}", told.story());
    bench.check(server.port, &["--key", "www.pem"]).exited(2);
}

#[test]
fn offline_forbids_what_asks_others_and_a_look_is_the_same_with_it() {
    let bench = Bench::new();
    let server = bench.serve("www", "www", &[]);
    let table: [(&[&str], &str); 3] =
        [(&["--fetch"], "--fetch"), (&["--dns"], "--dns"), (&["--fetch", "--dns"], "--fetch")];
    for (flags, said) in table {
        let told = bench.check(server.port, &[&["--offline"][..], flags].concat()).exited(2);
        assert!(told.stderr.contains(&format!("--offline forbids what {said} is for")), "{}", told.story());
        assert!(told.stderr.contains("help: leave out --offline or "), "{}", told.story());
    }
    let (with, without) = (bench.report(server.port, &["--offline"]), bench.report(server.port, &[]));
    assert_eq!(with["findings"], without["findings"]);
    assert_eq!(with["network"], Value::Array(Vec::new()));
    bench
        .sandbox
        .countersign(&["check", "www.pem", "--offline", "--private", "--roots", "root.pem"])
        .exited(0);
}

/// A server of TLS 1.3 alone that closes early: that TLS 1.2 is not spoken is no cause.
#[test]
fn the_handshake_that_says_something_is_told_and_the_other_beside_it() {
    let bench = Bench::new();
    let server = bench.serve("www", "www", &["-tls1_3"]);
    let told = bench.check(super::server::cut(server.port, 1), &[]).exited(4);
    let cause = "under TLS 1.3, the server closes the connection without a word; up to TLS 1.2, the server sends the alert protocol_version (70)";
    assert!(told.stderr.contains(cause), "{}", told.story());
}

/// DER of this tag octet around contents of up to 64 kB.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = (content.len() as u16).to_be_bytes();
    [&[tag, 0x82], &length[..], &content].concat()
}

#[test]
fn timestamps_in_a_stapled_response_are_read() {
    let bench = Bench::new();
    let leaf = examiner::chain::ders(bench.sandbox.read("leaf.pem").as_bytes()).unwrap().remove(0).to_vec();
    let leaf = examiner::chain::Examinee::read(leaf.as_slice());
    let one = [&[0][..], &[7; 32], &1_775_001_600_000u64.to_be_bytes(), &[0, 0, 4, 3, 0, 2, 8, 8]].concat();
    let vector = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
    let list = vector(&[vector(&one), vector(&one)].concat());
    let now = testkit::times::clock();
    let time = |time: examiner::UnixTime| {
        let digits: String = time.to_string().chars().filter(char::is_ascii_digit).collect();
        der(0x18, &[format!("{digits}Z").as_bytes()])
    };
    // Nobody signed it: that is told, and is of no concern here.
    let algorithm = der(0x30, &[&[6, 5, 0x2b, 0x0e, 3, 2, 0x1a]]);
    let id = der(0x30, &[&algorithm, &der(4, &[&[1; 20]]), &der(4, &[&[2; 20]]), &der(2, &[leaf.serial()])]);
    let timestamps = [6, 10, 0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 5];
    let extension = der(0x30, &[&timestamps, &der(4, &[&der(4, &[&list])])]);
    let next = der(0xa0, &[&time(now.plus(86_400))]);
    let extensions = der(0xa1, &[&der(0x30, &[&extension])]);
    let single = der(0x30, &[&id, &[0x80, 0], &time(now), &next, &extensions]);
    let responder = der(0xa2, &[&der(4, &[&[3; 20]])]);
    let data = der(0x30, &[&responder, &time(now), &der(0x30, &[&single])]);
    let basic = der(0x30, &[&data, &algorithm, &der(3, &[&[0, 1, 2, 3]])]);
    let bytes = der(0x30, &[&[6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1], &der(4, &[&basic])]);
    bench.sandbox.write("staple.der", der(0x30, &[&[10, 1, 0], &der(0xa0, &[&bytes])]));
    let server = bench.serve("www", "www", &["-status_file", "staple.der"]);
    let report = bench.report(server.port, &[]);
    let handshakes = report["host"]["addresses"][0]["handshakes"].as_array().unwrap();
    assert!(handshakes.iter().all(|one| one["stapled_timestamps"] == 2), "{report:#}");
    let told = bench.check(server.port, &[]);
    assert!(told.stdout.contains("timestamps in OCSP:"), "{}", told.story());
}
