//! hosts that ask for client certificates are understood, and whether ours gets in.

use testkit::Leaf;

use super::*;

/// A server that takes certificates of the issuing CA, at depth 4.
fn asking(bench: &Bench, how: &str, extra: &[&str]) -> Server {
    bench.sandbox.write("takes.pem", bench.issuing.pem() + &bench.root.pem());
    bench.serve("www", "www", &[&[how, "4", "-CAfile", "takes.pem", "-verify_return_error"], extra].concat())
}

#[test]
fn required_and_optional_are_told_apart_under_both_versions() {
    let bench = Bench::new();
    for version in ["-tls1_3", "-tls1_2"] {
        for (how, word) in [("-Verify", "required"), ("-verify", "optional")] {
            let server = asking(&bench, how, &[version]);
            let report = bench.report(server.port, &[]);
            assert_eq!(report["client_certificate"]["asked"], word, "{version} {report:#}");
            let issuers = report["client_certificate"]["issuers"].to_string();
            assert!(issuers.contains("Look Issuing CA") && issuers.contains("Look Root"), "{report:#}");
            assert!(ids(&report).contains(&"client-auth-requested"), "{report:#}");
            // The rest is examined all the same.
            assert_eq!(report["chain"].as_array().unwrap().len(), 3, "{version} {report:#}");
            assert!(!ids(&report).contains(&"handshake-fails"), "{version} {report:#}");
            assert_ne!(report["verdict"], "errors", "{version} {report:#}");
            let end = if word == "required" { "lets nobody in without" } else { "asks for" };
            assert!(
                sentence(&report).ends_with(&format!("The host {end} a client certificate.")),
                "{report:#}"
            );
        }
    }
}

#[test]
fn a_certificate_of_a_named_issuer_gets_in() {
    let bench = Bench::new();
    bench.issuing.issue("alice").write(bench.sandbox.dir(), "alice");
    for version in ["-tls1_3", "-tls1_2"] {
        let server = asking(&bench, "-Verify", &[version]);
        let report = bench.report(server.port, &["--cert", "alice.pem", "--key", "alice.key"]);
        let shown = &report["host"]["shown"];
        assert_eq!(shown["is_issuer_named"], true, "{version} {report:#}");
        assert_eq!(shown["is_key_taken"], true);
        assert_eq!(shown["outcome"]["what"], "taken", "{version} {report:#}");
        assert_ne!(report["verdict"], "errors", "{report:#}");
    }
}

#[test]
fn a_certificate_that_does_not_get_in_is_told_why() {
    let bench = Bench::new();
    let stranger = TestCa::new("Strange CA");
    stranger.issue("eve").write(bench.sandbox.dir(), "eve");
    bench.leaf("late", Leaf::new("late").ended_yesterday());
    bench.leaf("alice", Leaf::new("alice"));
    for version in ["-tls1_3", "-tls1_2"] {
        let server = asking(&bench, "-Verify", &[version]);
        let eve = bench.report(server.port, &["--cert", "eve.pem", "--key", "eve.key"]);
        assert!(ids(&eve).contains(&"client-ca-list-lacks-our-issuer"), "{version} {eve:#}");
        let refused = |report: &Value| {
            let all = report["findings"].as_array().unwrap();
            let found = all.iter().find(|one| one["id"] == "client-certificate-refused");
            found.map(|one| one["observed"].as_str().unwrap().to_owned()).unwrap_or_default()
        };
        assert!(refused(&eve).contains("unknown_ca (48)"), "{version} {eve:#}");
        let late = bench.report(server.port, &["--cert", "late.pem", "--key", "late.key"]);
        assert!(refused(&late).contains("certificate_expired (45)"), "{version} {late:#}");
        assert!(!ids(&late).contains(&"client-ca-list-lacks-our-issuer"), "{version} {late:#}");
        bench.check(server.port, &["--cert", "late.pem", "--key", "late.key"]).exited(1);
    }
    let server = asking(&bench, "-Verify", &["-client_sigalgs", "RSA-PSS+SHA256"]);
    let report = bench.report(server.port, &["--cert", "alice.pem", "--key", "alice.key"]);
    assert!(ids(&report).contains(&"client-sigalgs-exclude-our-key"), "{report:#}");
    assert_eq!(report["host"]["shown"]["outcome"]["what"], "not-offered");
}

#[test]
fn a_certificate_that_nobody_asks_for_is_not_shown() {
    let bench = Bench::new();
    bench.leaf("alice", Leaf::new("alice"));
    let server = bench.serve("www", "www", &[]);
    let report = bench.report(server.port, &["--cert", "alice.pem", "--key", "alice.key"]);
    assert_eq!(report["host"]["shown"]["outcome"]["what"], "not-asked", "{report:#}");
    assert_eq!(report["verdict"], "right");
}

#[test]
fn what_cannot_be_shown_is_refused_before_the_look() {
    let bench = Bench::new();
    bench.leaf("alice", Leaf::new("alice"));
    bench.leaf("bob", Leaf::new("bob"));
    let wrong = bench.check(1, &["--cert", "alice.pem", "--key", "bob.key"]).exited(2);
    assert!(wrong.stderr.contains("alice.pem and bob.key cannot be shown"), "{}", wrong.story());
    let none = bench.check(1, &["--cert", "alice.pem"]).exited(2);
    assert!(none.stderr.contains("--key FILE"), "{}", none.story());
    let file = bench
        .sandbox
        .countersign(&["check", "www.pem", "--cert", "alice.pem", "--key", "alice.key"])
        .exited(2);
    assert!(file.stderr.contains("--cert is for a server"), "{}", file.story());
}
