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
