//! What is wrong with the certificates that a server shows.

use testkit::openssl;

use super::*;

/// Exit code, beginning of the sentence and id of the finding of a server with this chain.
#[track_caller]
fn told(bench: &Bench, chain: &str, key: &str, extra: &[&str], exit: i32, begin: &str, id: &str) {
    let server = bench.serve(chain, key, extra);
    let told = bench.check(server.port, &[]).exited(exit);
    assert!(told.stdout.starts_with(begin), "{begin}\n{}", told.story());
    assert!(told.stdout.contains(&format!("({id})")), "{id}\n{}", told.story());
    assert!(told.stdout.contains(&format!("\n  {id}")), "{id}\n{}", told.story());
}

#[test]
fn a_server_that_is_right_gets_no_error() {
    let bench = Bench::new();
    let server = bench.serve("www", "www", &[]);
    let report = bench.report(server.port, &[]);
    assert_eq!(report["verdict"], "right", "{report:#}");
    assert_eq!(sentence(&report), "Nothing wrong was found.");
    assert_eq!(report["file"], format!("{HOST}:{}", server.port));
    assert_eq!(report["chain"].as_array().unwrap().len(), 3, "{report:#}");
    assert_eq!(report["client_certificate"]["asked"], "no");
    assert_eq!(report["host"]["servername"], HOST);
    let handshakes = report["host"]["addresses"][0]["handshakes"].as_array().unwrap();
    let versions: Vec<_> = handshakes.iter().map(|one| one["version"].as_str().unwrap()).collect();
    assert_eq!(versions, ["TLS 1.2", "TLS 1.3"]);
    let told = bench.check(server.port, &[]).exited(0);
    for part in ["0 www.look.example", "The host\n", "TLS 1.2, TLS 1.3", "client certificate:  not asked for"]
    {
        assert!(told.stdout.contains(part), "{part}\n{}", told.story());
    }
}

/// the missing certificate by name, the lines for nginx, the picture.
#[test]
fn a_server_that_sends_its_leaf_alone() {
    let bench = Bench::new();
    let begin = "Every client refuses it: the certificate of its issuer is missing: CN=Look Issuing CA";
    told(&bench, "leaf", "www", &[], 1, begin, "chain-incomplete");
    let server = bench.serve("leaf", "www", &[]);
    let report = bench.report(server.port, &[]);
    assert!(report["missing"][0]["name"].as_str().unwrap().contains("Look Issuing CA"), "{report:#}");
    let fixed = ["--intermediates", "issuing.pem", "--fix", "nginx", "--out", "fullchain.pem"];
    let lines = bench.check(server.port, &fixed).exited(0);
    assert!(lines.stdout.contains("ssl_certificate "), "{}", lines.story());
    assert_eq!(bench.sandbox.read("fullchain.pem"), bench.sandbox.read("www.pem"));
    let drawn = bench.check(server.port, &["--format", "svg"]).exited(1);
    assert!(
        drawn.stdout.starts_with("<svg") && drawn.stdout.contains("Look Issuing CA"),
        "{}",
        drawn.story()
    );
}

/// The response is of today and ends tomorrow: looked at in three days it is stale.
#[test]
fn a_stapled_response_that_is_stale() {
    let bench = Bench::new();
    let serial = examiner::chain::Examinee::read(pem_der(&bench.sandbox.read("leaf.pem")));
    // The index has serials as numbers: without a leading zero octet.
    let octets = serial.serial().iter().skip_while(|octet| **octet == 0);
    let serial: String = octets.map(|octet| format!("{octet:02X}")).collect();
    bench.sandbox.write("index.txt", format!("V\t300101000000Z\t\t{serial}\tunknown\t/CN=x\n"));
    bench.sandbox.write("issuing.key", bench.issuing.key().pem());
    let made = [
        "ocsp",
        "-index",
        "index.txt",
        "-rsigner",
        "issuing.pem",
        "-rkey",
        "issuing.key",
        "-CA",
        "issuing.pem",
        "-issuer",
        "issuing.pem",
        "-cert",
        "leaf.pem",
        "-ndays",
        "1",
        "-respout",
        "staple.der",
        "-noverify",
    ];
    openssl(bench.sandbox.dir(), &made, b"").ok();
    let server = bench.serve("www", "www", &["-status_file", "staple.der"]);
    let fresh = bench.report(server.port, &[]);
    assert_eq!(fresh["host"]["addresses"][0]["handshakes"][0]["is_stapled"], true, "{fresh:#}");
    assert_eq!(fresh["host"]["addresses"][0]["handshakes"][1]["is_stapled"], true, "{fresh:#}");
    assert!(!ids(&fresh).contains(&"ocsp-response-stale-or-future"), "{fresh:#}");
    let later = testkit::times::clock().plus(3 * 86_400).to_string();
    let stale = bench.report(server.port, &["--at", &later]);
    assert!(ids(&stale).contains(&"ocsp-response-stale-or-future"), "{stale:#}");
}

fn pem_der(pem: &str) -> Vec<u8> {
    examiner::chain::ders(pem.as_bytes()).unwrap().remove(0).to_vec()
}
