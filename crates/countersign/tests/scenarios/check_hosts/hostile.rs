//! Servers that say nothing, say nonsense, or never end: each is told within the deadline, and is no finding.

use std::io::Write;
use std::time::Duration;

use super::server::{say, socket};
use super::*;

/// What is said of a server that shows no certificate.
#[track_caller]
fn refused(bench: &Bench, port: u16, part: &str) {
    let told = bench.check(port, &[]).exited(4);
    assert!(told.stderr.contains(part), "{part}\n{}", told.story());
    assert!(told.stderr.contains("help: "), "{}", told.story());
}

#[test]
fn nobody_listens_or_nobody_knows_the_name() {
    let bench = Bench::new();
    refused(&bench, testkit::free_port(), "cannot be reached: 127.0.0.1:");
    let unknown = bench.sandbox.countersign(&["check", "no-such-host.invalid"]).exited(4);
    assert!(unknown.stderr.contains("no-such-host.invalid cannot be resolved"), "{}", unknown.story());
    bench.sandbox.countersign(&["check", "www.look.example:0"]).exited(2);
    bench.sandbox.countersign(&["check", "missing.pem"]).exited(5);
}

#[test]
fn a_server_that_closes_at_once_or_speaks_something_else() {
    let bench = Bench::new();
    refused(&bench, socket(drop), "the server closes the connection without a word");
    let http = socket(|stream| say(stream, b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    refused(&bench, http, "this is not TLS: the server answers \u{201c}HTTP/1.1 400 Bad Request\u{201d}");
    let alert = socket(|stream| say(stream, &[21, 3, 3, 0, 2, 2, 112]));
    refused(&bench, alert, "the alert unrecognized_name (112): it serves no site of this name");
    let control = socket(|stream| say(stream, b"220 \x1b[31mred\x1b[0m\r\n"));
    let told = bench.check(control, &[]).exited(4);
    assert!(!told.stderr.contains('\u{1b}'), "{}", told.story());
}

#[test]
fn a_server_that_sends_one_byte_a_second() {
    let bench = Bench::new();
    let slow = socket(|mut stream| {
        for byte in [22, 3, 3, 0, 80].into_iter().chain(std::iter::repeat_n(0, 80)) {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    refused(&bench, slow, "the server sends nothing whole in time");
}

#[test]
fn a_server_that_sends_without_end() {
    let bench = Bench::new();
    let announced = socket(|stream| say(stream, &[22, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff]));
    refused(&bench, announced, "a handshake message of 16777215 bytes; 262144 are read");
    // A message as large as may be, again and again.
    let endless = socket(|mut stream| {
        let record = [&[22, 3, 3, 0x40, 0][..], &[0; 0x4000]].concat();
        while stream.write_all(&record).is_ok() {}
    });
    refused(&bench, endless, "the server sends more than a handshake may have");
    let warnings = socket(|mut stream| while stream.write_all(&[21, 3, 3, 0, 2, 1, 112]).is_ok() {});
    refused(&bench, warnings, "the server sends one warning after another");
}

#[test]
fn a_server_with_a_hundred_certificates_and_one_with_thousands_of_names() {
    let bench = Bench::new();
    let chain = bench.sandbox.read("www.pem") + &bench.issuing.pem().repeat(99);
    bench.sandbox.write("hundred.pem", chain);
    let server = bench.serve("hundred", "www", &["-tls1_2"]);
    let report = bench.report(server.port, &[]);
    assert!(ids(&report).contains(&"chain-duplicate"), "{report:#}");
    // 10,000 names: more than a library takes of a handshake message.
    let leaf =
        (0..10_000).fold(testkit::Leaf::server(HOST), |leaf, i| leaf.dns(&format!("n{i}.look.example")));
    bench.leaf("names", leaf);
    for version in ["-tls1_2", "-tls1_3"] {
        let server = bench.serve("names", "names", &[version]);
        let report = bench.report(server.port, &[]);
        assert!(ids(&report).contains(&"certificate-very-large"), "{version} {report:#}");
    }
}

#[test]
fn one_bad_server_does_not_hold_up_the_others() {
    let bench = Bench::new();
    let server = bench.serve("www", "www", &[]);
    let (bad, good) = (format!("127.0.0.1:{}", socket(drop)), format!("127.0.0.1:{}", server.port));
    let args = ["check", &bad, &good, "--servername", HOST, "--private", "--roots", "root.pem", "--json"];
    let all = bench.sandbox.countersign(&args).exited(4).json();
    assert!(all[0]["error"].as_str().unwrap().contains("shows no certificate"), "{all:#}");
    assert_eq!(all[1]["verdict"], "right", "{all:#}");
}

/// However far a server goes before it closes: what it showed is told, and that the handshake failed.
#[test]
fn a_server_that_closes_behind_each_of_its_messages() {
    let bench = Bench::new();
    for version in ["-tls1_2", "-tls1_3"] {
        let server = bench.serve("www", "www", &[version]);
        let mut has_shown = false;
        for records in 0..9 {
            let told = bench.check(server::cut(server.port, records), &["--json"]);
            let report = told.json();
            if told.code == 4 {
                assert!(!has_shown, "{version} {records} {}", told.story());
                assert!(
                    report["error"].as_str().unwrap().contains("shows no certificate"),
                    "{}",
                    told.story()
                );
                continue;
            }
            has_shown = true;
            assert_eq!(report["chain"].as_array().unwrap().len(), 3, "{version} {records} {}", told.story());
            let is_whole = told.code == 0;
            assert_eq!(ids(&report).contains(&"handshake-fails"), !is_whole, "{version} {}", told.story());
        }
        assert!(has_shown, "{version}");
    }
}
